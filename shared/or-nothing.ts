/** What `look` finds; `undefined` where it throws: a file that is gone, or may not be read, is not there. */
export function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
