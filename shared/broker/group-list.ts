/** Which groups a bucket has. The broker knows its keys: no value is read for it, and no consumer is made. */
import type { PageOptions } from '../types.ts';
import type { Broker } from './connect.ts';
import { ASKED, readKeys } from './key-value.ts';
import { toLimit } from './page.ts';

/** Some of the groups, by their tokens. */
export interface GroupPage {
  groups: { token: string; keys: number }[];
  /** There are more: `after` of the next page. */
  next?: string;
}

/** The broker tells so many keys at once, and then goes on by position. Those before may go meanwhile, so pages overlap. */
const OVERLAP = 1_000;

/**
 * Groups in the order of their tokens.
 * @param prefix what their keys begin with, as `<stream>.`; `''` for all keys.
 * @param options `after` is the token of a group.
 * @throws {MotiaError} `INVALID_VALUE` for a wrong limit.
 */
export async function listGroups(
  broker: Broker,
  bucket: string,
  prefix: string,
  options: PageOptions,
): Promise<GroupPage> {
  const limit = toLimit(options);
  const after = options.after === undefined ? undefined : `${options.after}.`;
  const counts = new Map<string, number>();
  let last = '';
  for (let offset = 0; ; ) {
    const { keys, total } = await readKeys(broker, bucket, `${prefix}>`, offset);
    let highest = last;
    for (const [key, count] of keys) {
      if (key <= last) continue; // told already
      if (key > highest) highest = key;
      const token = key.slice(prefix.length, key.indexOf('.', prefix.length));
      if (token === ASKED || (after !== undefined && `${token}.` <= after)) continue;
      counts.set(token, (counts.get(token) ?? 0) + count);
    }
    last = highest;
    // Keys come in the order of their groups: only the last one may go on.
    if (counts.size > limit || offset + keys.size >= total || keys.size <= OVERLAP) break;
    offset += keys.size - OVERLAP;
  }
  const found = [...counts].sort(([a], [b]) => (`${a}.` < `${b}.` ? -1 : 1));
  const groups = found.slice(0, limit).map(([token, keys]) => ({ token, keys }));
  const next = found.length > limit ? groups.at(-1)?.token : undefined;
  return { groups, ...(next !== undefined && { next }) };
}
