/** Which calls may be had twice. */

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Safe by the method alone: it changes nothing. */
export const isSafeMethod = (method: string): boolean => SAFE.has(method);

/** Safe by the method (RFC 9110, 9.2.1), or because the caller says so with an `Idempotency-Key`. */
export function isSafe(method: string, headers: Record<string, string | string[] | undefined>): boolean {
  return isSafeMethod(method) || headers['idempotency-key'] !== undefined;
}
