/** The text of `dist/motia.steps.json`: what a build holds, in the same bytes for the same project. Pure. */
import { LOCK_FORMAT, type Lock } from '../../shared/steps/built-project.ts';
import type { StepEntry, StreamEntry } from '../../shared/steps/manifest.ts';
import { FILES_FOLDER, MODULES_FOLDER } from '../../shared/steps/paths.ts';

export interface LockContents {
  motia: string;
  bundle: string;
  config: string | undefined;
  steps: readonly StepEntry[];
  streams: readonly StreamEntry[];
  /** Path of the module made from a file that is compiled, in the folder of modules. */
  moduleOf: (file: string) => string;
  sources: Readonly<Record<string, string>>;
}

export function lockText(contents: LockContents): string {
  const { motia, bundle, config, steps, streams, moduleOf, sources } = contents;
  const servedOf = ({ file, language }: Pick<StepEntry, 'file' | 'language'>) =>
    language === 'node' ? `${MODULES_FOLDER}/${moduleOf(file)}` : `${FILES_FOLDER}/${file}`;
  const lock: Lock = {
    format: LOCK_FORMAT,
    motia,
    bundle,
    ...(config !== undefined && { config: `${MODULES_FOLDER}/${moduleOf(config)}` }),
    steps: Object.fromEntries(
      sorted(steps).map((step) => {
        const { id: _, file, language, ...described } = step;
        return [servedOf(step), { type: step.type, language, filePath: file, config: described }];
      }),
    ),
    streams: Object.fromEntries(
      sorted(streams).map((stream) => {
        const { file, language, ...described } = stream;
        const place = { language, filePath: file, bundlePath: servedOf(stream) };
        return [stream.name, { name: stream.name, storageType: 'default', ...place, config: described }];
      }),
    ),
    sources: Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return `${JSON.stringify(lock, null, 2)}\n`;
}

const sorted = <Entry extends { file: string }>(entries: readonly Entry[]): Entry[] =>
  [...entries].sort((a, b) => (a.file < b.file ? -1 : 1));
