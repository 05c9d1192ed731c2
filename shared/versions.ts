/** Versions of other programs: how they compare, and which are needed. */

/** The first server version that has everything used here: message schedules and per-message lifetimes among it. */
export const OLDEST_SERVER = '2.14.0';

/** Negative, zero or positive, as `a` is older than, the same as or newer than `b`. Pre-release tags are ignored. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string) =>
    version
      .replace(/^v/, '')
      .split(/[.-]/)
      .slice(0, 3)
      .map((part) => Number.parseInt(part, 10));
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
