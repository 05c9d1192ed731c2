/** A word about what takes a while, so that nobody wonders whether something happens. */

const SLOW_MS = 1_000;

/** Awaits work; when it is not done within a second, says a line. */
export async function sayIfSlow<T>(line: string, work: Promise<T>, say: (line: string) => void = toPerson): Promise<T> {
  const timer = setTimeout(say, SLOW_MS, line);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Only a person waits impatiently: a program that reads the output is not told. */
function toPerson(line: string): void {
  if (process.stderr.isTTY === true) console.error(line);
}
