/**
 * The names that the key of an entry stands for. Its tokens say them, unless one was too long for a token: then a header of the
 * entry says them all.
 */
import { decodeToken } from './encoding.ts';

/** Only tokens that were shortened have this; see `encodeToken`. */
const SHORTENED = '=-';
/** Headers have room for so much. A listing shows the shortened token of a longer name. */
const LONGEST = 32 * 1024;

/**
 * The header `Motia-Names` of an entry, or `undefined` for one that needs none.
 * @param names what its key was made of.
 */
export function toNamesHeader(key: string, names: readonly string[]): string | undefined {
  if (!key.includes(SHORTENED)) return undefined;
  const header = names.map((name) => encodeURIComponent(Buffer.from(name).toString())).join('/');
  return header.length <= LONGEST ? header : undefined;
}

/** The names that a key was made of, as far as it or the header of its entry says them: otherwise the token. */
export function namesOf(key: string, header: string): string[] {
  const tokens = key.split('.');
  const told = header.split('/');
  return tokens.map((token, at) => decodeToken(token) ?? decode(told[at]) ?? token);
}

function decode(text = ''): string | undefined {
  try {
    return text === '' ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
