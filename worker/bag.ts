/**
 * Things that are held for a short time, in no order.
 *
 * Not a `Set` or `Map`: when many short-lived things go through one, each table that it outgrows points to the next, and once
 * the first is old, all that follow survive with everything in them until the next full collection.
 */
export class Bag<Item extends Held> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** @returns whether it was there. */
  delete(item: Item): boolean {
    if (this.#items[item.place] !== item) return false;
    const last = this.#items.pop() as Item;
    if (last === item) return true;
    last.place = item.place;
    this.#items[last.place] = last;
    return true;
  }

  find(isWanted: (item: Item) => boolean): Item | undefined {
    return this.#items.find(isWanted);
  }

  /** All of them, as they are now. */
  all(): Item[] {
    return [...this.#items];
  }
}

/** What a bag can hold. */
export interface Held {
  /** Where in the bag it is: the bag's own business. */
  place: number;
}
