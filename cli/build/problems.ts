/** What a project must not have to be built, beyond files that cannot be loaded. Pure. */
import type { StepFailure } from '../../shared/steps/bundle.ts';
import type { StepEntry, StreamEntry } from '../../shared/steps/manifest.ts';

export interface Problem {
  /** Relative to the project. */
  file: string;
  message: string;
}

const LONGEST_NAME = 40;

/** @param steps all of them, also several that want one name or route */
export function findProblems(steps: readonly StepEntry[], streams: readonly StreamEntry[]): Problem[] {
  const routes = steps.filter(({ type }) => type === 'api');
  const long = steps.filter(({ name }) => name.length > LONGEST_NAME);
  return [
    ...repeated(steps, ({ name }) => name).map(({ file, key, first }) => ({
      file,
      message: `the step name "${key}" is that of ${first} already`,
    })),
    ...repeated(routes, ({ method, path }) => `${method} ${path}`).map(({ file, key, first }) => ({
      file,
      message: `${key} is served by ${first} already`,
    })),
    ...repeated(streams, ({ name }) => name).map(({ file, key, first }) => ({
      file,
      message: `the stream name "${key}" is that of ${first} already`,
    })),
    ...long.map(({ file, name }) => ({
      file,
      message: `the step name "${name}" has ${name.length} characters: ${LONGEST_NAME} are the most`,
    })),
  ];
}

export function toProblem({ file, message }: Pick<StepFailure, 'file' | 'message'>): Problem {
  const prefix = `${file}: `;
  return { file, message: message.startsWith(prefix) ? message.slice(prefix.length) : message };
}

/** One block of text, sorted by file, each problem once. */
export function describeProblems(problems: readonly Problem[]): string {
  const lines = problems.map(({ file, message }) => `[${file}] ${message}`);
  return [...new Set(lines)].sort().join('\n');
}

function repeated<Entry extends { file: string }>(entries: readonly Entry[], keyOf: (entry: Entry) => string) {
  const firsts = new Map<string, string>();
  return entries.flatMap((entry) => {
    const key = keyOf(entry);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, entry.file);
    return first === undefined ? [] : [{ file: entry.file, key, first }];
  });
}
