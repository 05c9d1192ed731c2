/** Answers to what the first screen begins with, which a script of its own asks for while the page is still loaded: each is had once. */

interface FirstAnswer {
  answer: Promise<Response>;
  /** As `performance.now()` has it. */
  askedAt: number;
}

/** By URL. Shared by two scripts, hence global. */
declare global {
  var motiaFirstAnswers: Map<string, FirstAnswer> | undefined;
}

/** What nobody has wanted by then is asked for anew. */
const FRESH_MS = 5_000;

export function askFirst(url: string, headers: Record<string, string>): void {
  const answer = fetch(url, { headers });
  answer.catch(() => {}); // told to who takes it
  globalThis.motiaFirstAnswers ??= new Map();
  globalThis.motiaFirstAnswers.set(url, { answer, askedAt: performance.now() });
}

/** Once somebody else asks: they were given to whoever had the token before. */
export const forgetFirstAnswers = (): void => globalThis.motiaFirstAnswers?.clear();

export function takeFirstAnswer(url: string): Promise<Response> | undefined {
  const found = globalThis.motiaFirstAnswers?.get(url);
  globalThis.motiaFirstAnswers?.delete(url);
  return found && performance.now() - found.askedAt < FRESH_MS ? found.answer : undefined;
}
