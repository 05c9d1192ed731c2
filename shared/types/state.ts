/** Values that all steps share, and how they are changed. */

/**
 * One change of a JSON value. `path` leads to a part of it: the keys from outside in, with dots between them (`'a.b'`); in a list
 * they are indices. Without one the whole value is meant. What is missing on the way is made, except by `remove`.
 */
export type UpdateOperation =
  | { type: 'set'; path?: string; value: unknown }
  /** Adds members to an object, or replaces those that it has. */
  | { type: 'merge'; path?: string; value: Record<string, unknown> }
  /** Nothing counts as 0. `by` is 1 by default. */
  | { type: 'increment'; path?: string; by?: number }
  | { type: 'decrement'; path?: string; by?: number }
  | { type: 'remove'; path: string };

/** What `update` takes: a function from the present value to the new one, or operations that are done one after the other. */
export type UpdateChange<Current, Next> = readonly UpdateOperation[] | ((current: Current) => Next | Promise<Next>);

/** How a value is stored. */
export interface SetOptions {
  /** Whole seconds, 1 to 315,360,000, after which the value goes by itself. Default: it stays. A later `set` without it ends it. */
  ttl?: number | undefined;
  /** Stores the value only if what is there has this revision; 0 means that nothing is there. */
  ifRevision?: number | undefined;
}

/** A stored value and what is known of it. */
export interface StateEntry<T = unknown> {
  value: T;
  /** A whole number above 0, which each change of the value makes greater. */
  revision: number;
  /** When the value goes by itself, in ms since 1970. */
  expiresAt?: number;
}

/** Which page of a list is wanted. */
export interface PageOptions {
  /** Items of the page, 1 to 1,000. Default 100. A page has fewer when they are large. */
  limit?: number | undefined;
  /** `next` of the page before. Default: the first page. */
  after?: string | undefined;
}

/** A part of a list. */
export interface Page<Item> {
  items: Item[];
  /** There may be more: `after` of the next page. */
  next?: string;
}

/** Values shared by all steps, kept by the broker. Any string is a valid group and key. */
export interface StateManager {
  /** The stored value, or `null`. */
  get<T = unknown>(group: string, key: string): Promise<T | null>;
  /** The stored value with its revision, or `null` if nothing is there. */
  getEntry<T = unknown>(group: string, key: string): Promise<StateEntry<T> | null>;
  /**
   * Stores a JSON value (falsy ones included) and returns it. `undefined` is refused.
   * @throws {MotiaError} `REVISION_CONFLICT`, with the `revision` of what is there, if that is not `ifRevision`.
   */
  set<T = unknown>(group: string, key: string, value: T, options?: SetOptions): Promise<T>;
  /**
   * Changes a value in one step, whoever else changes it at the same time, in any language, and returns the new one.
   * @param change operations as data, or a function that makes the new value from the present one (`null` for nothing). It may be
   * called several times, so it should do nothing else, and it holds up all other updates of this key. If it throws, nothing is
   * stored. A `ttl` goes on as it was.
   * @throws {MotiaError} `INVALID_VALUE` for an operation that cannot be done, and for a function that returns nothing.
   */
  update<T = unknown>(group: string, key: string, change: UpdateChange<T | null, T>): Promise<T>;
  /** Removes a value and returns it, or `null`. */
  delete<T = unknown>(group: string, key: string): Promise<T | null>;
  /** All values of a group, in no promised order. */
  getGroup<T = unknown>(group: string): Promise<T[]>;
  /**
   * Some of the values of a group with their keys, those first that were not changed for the longest time. One that is changed
   * while pages are read comes again, in a later one; none is left out.
   */
  getGroupPage<T = unknown>(group: string, options?: PageOptions): Promise<Page<StateEntry<T> & { key: string }>>;
  /** Some of the groups that there are, and how many keys each has. */
  listGroups(options?: PageOptions): Promise<Page<{ group: string; keys: number }>>;
  /** Removes all values of a group. */
  clear(group: string): Promise<void>;
}
