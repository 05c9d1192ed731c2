/**
 * What waits for replies, by the last token of the subject that they come to.
 *
 * Not a `Map`: when many short-lived things go through one, each table that it outgrows points to the next, and once the first is
 * old, all that follow survive with everything in them until the next full collection.
 */
export class Pending<Item> {
  readonly #entries: ({ token: string; item: Item } | undefined)[] = [];
  readonly #free: number[] = [];
  #count = 0;

  get size(): number {
    return this.#entries.length - this.#free.length;
  }

  /**
   * Adds what `make` makes.
   * @returns its token: digits, lower-case letters and a dash; never the same again.
   */
  add(make: (token: string) => Item): string {
    const place = this.#free.pop() ?? this.#entries.length;
    const token = `${place.toString(36)}-${(++this.#count).toString(36)}`;
    this.#entries[place] = { token, item: make(token) };
    return token;
  }

  get(token: string): Item | undefined {
    const entry = this.#entries[placeOf(token)];
    return entry?.token === token ? entry.item : undefined;
  }

  /** @returns the item, if it was still there. */
  take(token: string): Item | undefined {
    const item = this.get(token);
    if (item === undefined) return undefined;
    const place = placeOf(token);
    this.#entries[place] = undefined;
    this.#free.push(place);
    return item;
  }

  /** All of them, as they are now. */
  all(): [token: string, item: Item][] {
    return this.#entries.flatMap((entry): [string, Item][] => (entry ? [[entry.token, entry.item]] : []));
  }
}

/** It ends at the dash. */
const placeOf = (token: string): number => Number.parseInt(token, 36);
