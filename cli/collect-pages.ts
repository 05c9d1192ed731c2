/** Reads pages until there are so many items, or no more. */
export async function collectPages<Item>(
  wanted: number,
  read: (page: { cursor: string | undefined; limit: number }) => Promise<[items: Item[], next: string | undefined]>,
): Promise<Item[]> {
  const found: Item[] = [];
  let cursor: string | undefined;
  do {
    const [items, next] = await read({ cursor, limit: wanted - found.length });
    found.push(...items);
    cursor = next;
  } while (cursor !== undefined && found.length < wanted);
  return found;
}
