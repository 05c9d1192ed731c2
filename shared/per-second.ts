const SECOND_MS = 1_000;

/** Says yes to the first so many of each second. */
export function firstOfEachSecond(most: number): () => boolean {
  let left = most;
  let until = 0;
  return () => {
    if (left > 0) {
      left--;
      return true;
    }
    const now = performance.now();
    if (now < until) return false;
    until = now + SECOND_MS;
    left = most - 1;
    return true;
  };
}
