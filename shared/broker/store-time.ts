/** When the broker stored a message, to the microsecond: the same number wherever it is read. */

/** Ms since 1970 with a fraction, of a time as the broker writes it: `2026-01-31T12:00:00.123456789Z`. */
export function toTime(text: string): number {
  const [, seconds = '', fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(text) ?? [];
  const nanoseconds = fraction.padEnd(9, '0');
  const ms = Date.parse(`${seconds}.${nanoseconds.slice(0, 3)}Z`);
  return Number(`${ms}.${nanoseconds.slice(3)}`);
}
