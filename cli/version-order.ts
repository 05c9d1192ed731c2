/** Compares versions such as `2.15.1`; what comes after the third number does not count. */
export function isAtLeast(version: string, oldest: string): boolean {
  const parts = (text: string) => [0, 1, 2].map((index) => Number.parseInt(text.split('.')[index] ?? '0', 10));
  const [a, b] = [parts(version), parts(oldest)];
  const different = a.findIndex((part, index) => part !== b[index]);
  return different < 0 || (a[different] ?? 0) > (b[different] ?? 0);
}
