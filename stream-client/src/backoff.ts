/** How long to wait before another attempt to connect; pure. */

export interface Backoff {
  /** Milliseconds before the first new attempt, at most. Default 250. */
  first?: number;
  /** Milliseconds before any attempt, at most. Default 30,000. */
  most?: number;
}

/**
 * Doubles with each round over all addresses, so that another gateway is tried soon. The upper half is left to chance: clients that
 * have lost the same gateway do not come to the next one together.
 *
 * @param failures how many attempts have failed in a row; 0 when an open connection was lost.
 * @param random   from 0 to 1.
 * @returns milliseconds.
 */
export function waitBefore(failures: number, addresses: number, backoff: Backoff, random: number): number {
  const { first = 250, most = 30_000 } = backoff;
  const rounds = Math.min(Math.floor(failures / addresses), 30);
  return Math.min(first * 2 ** rounds, most) * (0.5 + random / 2);
}
