/** Seeded random values: a fuzz test that fails prints its seed and fails again with it. */

export interface Random {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Up to `longest` of the items, joined. */
  text(items: readonly string[], longest: number): string;
  bytes(longest: number): Buffer;
}

/** mulberry32 */
export function seeded(seed: number): Random {
  let state = seed;
  const int = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  const pick = <Item>(items: readonly Item[]): Item => items[int(items.length)] as Item;
  return {
    int,
    pick,
    text: (items, longest) => Array.from({ length: int(longest + 1) }, () => pick(items)).join(''),
    bytes: (longest) => Buffer.from(Array.from({ length: int(longest + 1) }, () => int(256))),
  };
}
