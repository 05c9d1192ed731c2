/** Times and durations as people read them. Pure. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0.4 ms`, `38 ms`, `1.52 s`, `2 m 5 s`, `3 h 10 m` */
export function durationText(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${Number((ms / SECOND).toPrecision(3))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m ${Math.floor((ms % MINUTE) / SECOND)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} m`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

/** `now`, `12 s ago`, `3 m ago`; for what is to come, `in 12 s`. @param ms ago; negative for what is to come. */
export function ageText(ms: number): string {
  const text = coarseText(Math.abs(ms));
  if (text === undefined) return 'now';
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

function coarseText(ms: number): string | undefined {
  if (ms < SECOND) return undefined;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** `2026-01-31 13:05:09.120`, in the time of this machine. */
export function exactText(time: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${clockText(time)}`;
}

/** `13:05:09.120`, in the time of this machine. */
export function clockText(time: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const ms = String(time.getMilliseconds()).padStart(3, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}
