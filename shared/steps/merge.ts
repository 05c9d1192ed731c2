/** One list of steps, and one of streams, from those of several workers, each of which knows its own language only. */
import type { StepEntry, StreamEntry } from './manifest.ts';

interface Merged {
  steps: StepEntry[];
  /** One for each name and route that is used twice. */
  warnings: string[];
}

/**
 * Replaces the steps of one language in a project's list. Ids become unique, and of two steps on one route the first keeps
 * it, whoever merges: node's steps come first, then those of the other languages in alphabetical order, each sorted by file.
 * @param current the steps that the manifest has
 * @param own those that a worker of `language` has loaded
 * @returns the entries sorted by file
 */
export function mergeSteps(
  current: readonly StepEntry[],
  own: readonly StepEntry[],
  language: StepEntry['language'],
): Merged {
  const others = current.filter((step) => step.language !== language);
  const kept = dropTakenRoutes([...others, ...own].sort(byPrecedence));
  const { steps, warnings } = assignIds(kept.steps);
  return { steps: steps.sort(byFile), warnings: [...warnings, ...kept.warnings] };
}

/**
 * Replaces the streams of one language in a project's list, as {@link mergeSteps} does its steps. Of two streams with one name
 * the first keeps it.
 */
export function mergeStreams(
  current: readonly StreamEntry[],
  own: readonly StreamEntry[],
  language: StreamEntry['language'],
): { streams: StreamEntry[]; warnings: string[] } {
  const others = current.filter((stream) => stream.language !== language);
  const files = new Map<string, string>();
  const warnings: string[] = [];
  const streams = [...others, ...own].sort(byPrecedence).filter(({ name, file }) => {
    const first = files.get(name);
    if (first === undefined) files.set(name, file);
    else warnings.push(`${file}: the stream name "${name}" is taken by ${first}; this stream is left out`);
    return first === undefined;
  });
  return { streams: streams.sort(byFile), warnings };
}

type InFile = Pick<StepEntry, 'language' | 'file'>;

function byPrecedence(a: InFile, b: InFile): number {
  if (a.language === b.language) return byFile(a, b);
  if (a.language === 'node' || b.language === 'node') return a.language === 'node' ? -1 : 1;
  return a.language < b.language ? -1 : 1;
}

function byFile(a: InFile, b: InFile): number {
  return a.file < b.file ? -1 : 1;
}

/** Of two steps on one route the first keeps it. */
function dropTakenRoutes(steps: readonly StepEntry[]): Merged {
  const files = new Map<string, string>();
  const warnings: string[] = [];
  const kept = steps.filter(({ type, method, path, file }) => {
    if (type !== 'api') return true;
    const route = `${method} ${path}`;
    const first = files.get(route);
    if (first === undefined) files.set(route, file);
    else warnings.push(`${file}: ${route} is served by ${first} already; this step is left out`);
    return first === undefined;
  });
  return { steps: kept, warnings };
}

/** The first step of a name has it for its id, later ones have their file in it, too. */
function assignIds(steps: readonly StepEntry[]): Merged {
  const files = new Map<string, string>();
  const warnings: string[] = [];
  const unique = steps.map((step) => {
    const { name, file } = step;
    const first = files.get(name);
    if (first === undefined) {
      files.set(name, file);
      return { ...step, id: name };
    }
    const id = `${name}@${file}`;
    warnings.push(`${file}: the step name "${name}" is taken by ${first}; it runs as "${id}"`);
    return { ...step, id };
  });
  return { steps: unique, warnings };
}
