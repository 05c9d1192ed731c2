/**
 * What a cron expression may say. Both workers have these rules, so that a mistake is told where it was made;
 * `golden/cron.json` holds them together. What an expression means is the scheduler's to know.
 */

interface Field {
  /** With its article. */
  name: string;
  min: number;
  max: number;
  /** Three letters each, in the order of their numbers from `min` on. */
  words?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FULL_WORDS =
  /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)(uary|ruary|ch|il|e|y|ust|tember|ober|ember|day|sday|nesday|rsday|urday)\b/g;

const SECOND: Field = { name: 'a second', min: 0, max: 59 };
const MINUTE: Field = { name: 'a minute', min: 0, max: 59 };
const HOUR: Field = { name: 'an hour', min: 0, max: 23 };
const DAY: Field = { name: 'a day of month', min: 1, max: 31 };
const MONTH: Field = { name: 'a month', min: 1, max: 12, words: MONTHS };
const WEEKDAY: Field = { name: 'a day of week', min: 0, max: 7, words: WEEKDAYS };
const FIELDS = [SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY];

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};

const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const LONGEST = 1_000;

/** The six fields of a valid expression as libraries read them: no shorthands, no full names, no value twice in a list. */
export function cronFields(expression: string): string[] {
  return toFields(expression).map((text, index) => (text.includes(',') ? listed(text, FIELDS[index] as Field) : text));
}

function toFields(expression: string): string[] {
  const text = expression.trim().toLowerCase();
  const fields = (SHORTHANDS[text] ?? text)
    .replace(FULL_WORDS, '$1')
    .replace(/-sun\b/g, '-7')
    .split(/\s+/);
  // Motia 0.x let a seventh field pass and took no notice of it.
  if (fields.length > 6) fields.length = 6;
  return fields.length === 5 ? ['0', ...fields] : fields;
}

/** Whether there is a seventh field, which has no meaning. */
export const hasSeventhField = (expression: string): boolean => expression.trim().split(/\s+/).length === 7;

/** What is wrong with an expression; `undefined` if nothing is. */
export function explainCron(expression: string): string | undefined {
  const text = expression.trim();
  if (text.startsWith('@') && !Object.hasOwn(SHORTHANDS, text.toLowerCase())) {
    return `Expected one of ${Object.keys(SHORTHANDS).join(', ')}`;
  }
  const fields = toFields(expression);
  const count = text === '' ? 0 : text.split(/\s+/).length;
  if (fields.length !== 6 || count > 7) return `Expected 5 fields, or 6 with leading seconds, and not ${count}`;
  if (text.length > LONGEST) return `Expected ${LONGEST} characters at most`;
  for (const [index, field] of FIELDS.entries()) {
    const part = fields[index] as string;
    if (!isField(part, field)) {
      return `Expected ${field.name} from ${field.min} to ${field.max}, and not "${part}"`;
    }
  }
  const [day, month, weekday] = fields.slice(3) as [string, string, string];
  return weekday !== '*' || comesEver(day, month) ? undefined : `There is no day ${day} in month ${month}`;
}

/** What is wrong with the name of a time zone; `undefined` if nothing is. */
export function explainTimezone(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    if (/^[A-Za-z]/.test(name)) return undefined;
  } catch {} // told below
  return `Expected the name of a time zone, such as Europe/Berlin, and not "${name}"`;
}

/** `*`, values and ranges, each with a step if wanted, and lists of them; for the day of week also `1#2`, the second Monday. */
function isField(text: string, field: Field): boolean {
  const nth = field === WEEKDAY ? /^(\w+)#[1-5]$/.exec(text) : null;
  if (nth) return toValue(nth[1] as string, field) !== undefined;
  return text.split(',').every((item) => rangeOf(item, field) !== undefined);
}

interface Range {
  first: number;
  last: number;
  step: number;
}

/** The values of one item of a list. */
function rangeOf(item: string, field: Field): Range | undefined {
  const [, all, from = '', to, step] = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d{1,4}))?$/.exec(item) ?? [];
  const first = all === undefined ? toValue(from, field) : field.min;
  const end = all !== undefined || (to === undefined && step !== undefined) ? field.max : first;
  const last = to === undefined ? end : toValue(to, field);
  if (first === undefined || last === undefined || first > last || Number(step) === 0) return undefined;
  return { first, last, step: Number(step ?? 1) };
}

/** Each value of a list once. */
function listed(list: string, field: Field): string {
  const values = new Set<number>();
  for (const item of list.split(',')) {
    const { first, last, step } = rangeOf(item, field) as Range;
    for (let value = first; value <= last; value += step) values.add(field === WEEKDAY ? value % 7 : value);
  }
  return [...values].sort((a, b) => a - b).join(',');
}

function toValue(text: string, { min, max, words }: Field): number | undefined {
  const word = words?.indexOf(text) ?? -1;
  if (word >= 0) return min + word;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

/** Not so for the 30th of February. */
function comesEver(day: string, month: string): boolean {
  const earliest = Number(listed(day, DAY).split(',', 1));
  return listed(month, MONTH)
    .split(',')
    .some((number) => (LONGEST_MONTHS[Number(number) - 1] as number) >= earliest);
}
