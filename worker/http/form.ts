/** Parses query strings and urlencoded bodies, with bracket syntax for arrays and objects. */
import { createRequire } from 'node:module';
import type { parse } from 'qs';
import { BadRequest } from './bad-request.ts';

const MAX_PARAMETERS = 1000;
const MAX_DEPTH = 10;

const require = createRequire(import.meta.url);
let qs: { parse: typeof parse } | undefined;

/**
 * `x=1&x=2` and `x[]=1` are arrays, `x[k]=v` an object, `+` a space; values that are not valid percent-encoding stay as
 * they are, and `__proto__` keys are dropped.
 *
 * @throws BadRequest when there are too many parameters, or they nest too deeply.
 */
export function parseForm(text: string): Record<string, unknown> {
  if (text === '') return {};
  const parameters = countParameters(text);
  if (parameters > MAX_PARAMETERS) throw new BadRequest(400, `More than ${MAX_PARAMETERS} parameters.`);
  // Loading qs takes some 25 ms, in every handler thread: it waits for the first request that needs it.
  qs ??= require('qs') as { parse: typeof parse };
  try {
    return qs.parse(text, {
      parameterLimit: MAX_PARAMETERS,
      depth: MAX_DEPTH,
      strictDepth: true,
      // Indices above it become object keys, so that `x[1000000]=1` does not allocate a million slots.
      arrayLimit: Math.max(100, parameters),
      // Names like `constructor` are data. They become own properties; only `__proto__` could do more.
      allowPrototypes: true,
    });
  } catch (error) {
    throw new BadRequest(400, `Parameters nest more than ${MAX_DEPTH} levels deep.`, { cause: error });
  }
}

function countParameters(text: string): number {
  let count = 1;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) count++;
  return count;
}
