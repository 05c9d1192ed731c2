/** What every check answers, whichever schema library ran it. */

export interface ValidationIssue {
  /** Where in the value, as `items.0.name`; empty for the value itself. */
  path: string;
  message: string;
}

export type ValidationResult = { ok: true } | { ok: false; issues: ValidationIssue[] };

/** Reads the issues of a zod 3 or zod 4 error. */
export function toIssues(error: unknown): ValidationIssue[] {
  const { issues } = (error ?? {}) as { issues?: readonly { path?: readonly PropertyKey[]; message?: string }[] };
  if (!Array.isArray(issues)) return [{ path: '', message: error instanceof Error ? error.message : 'Invalid value' }];
  return issues.map(({ path = [], message = 'Invalid value' }) => ({ path: path.map(String).join('.'), message }));
}

/** One line for people: `path: message; path: message`. */
export function formatIssues(issues: readonly ValidationIssue[]): string {
  return issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}
