/** JSON as people write it. Pure. */

export type Parsed = { value: unknown; error?: undefined } | { error: string; value?: undefined };

/** @returns the value, or what is wrong with the text. */
export function parseText(text: string): Parsed {
  if (text.trim() === '') return { error: 'There is nothing; for no value write null.' };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { error: `This is not JSON: ${(error as Error).message}` };
  }
}

/** The same where the text may be any. @returns `undefined` if it is no JSON. */
export function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** A value as it is edited. */
export const toText = (value: unknown): string => JSON.stringify(value, null, 2) ?? '';

/** A value in one line, for lists. @param most characters. */
export function inLine(value: unknown, most = 200): string {
  const text = JSON.stringify(value) ?? '';
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}
