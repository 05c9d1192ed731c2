/** The list of steps that workers of several languages make together, and its version, by the golden file that all of them read. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createManifest, type Manifest, type StepEntry, type StreamEntry } from '../../../shared/steps/manifest.ts';
import { mergeSteps, mergeStreams } from '../../../shared/steps/merge.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../../shared/protocol/golden/manifest.json', import.meta.url), 'utf8'),
) as {
  merges: {
    what: string;
    language: StepEntry['language'];
    current: StepEntry[];
    own: StepEntry[];
    steps: [file: string, id: string][];
    warnings: string[];
  }[];
  streams: {
    what: string;
    language: StepEntry['language'];
    current: StreamEntry[];
    own: StreamEntry[];
    files: string[];
    warnings: string[];
  }[];
  versions: {
    what: string;
    contents: Pick<Manifest, 'app' | 'steps' | 'streams' | 'settings'>;
    canonical: string;
    version: string;
  }[];
};

test.each(golden.merges)('$what', ({ current, own, language, steps, warnings }) => {
  const before = new Map([...current, ...own].map((step) => [step.file, step]));
  const merged = mergeSteps(current, own, language);
  expect(merged).toEqual({ steps: steps.map(([file, id]) => ({ ...before.get(file), id })), warnings });
  const again = mergeSteps(
    merged.steps,
    merged.steps.filter((step) => step.language === language),
    language,
  );
  expect(again.steps).toEqual(merged.steps);
});

test.each(golden.streams)('$what', ({ current, own, language, files, warnings }) => {
  const before = new Map([...current, ...own].map((stream) => [stream.file, stream]));
  const merged = mergeStreams(current, own, language);
  expect(merged).toEqual({ streams: files.map((file) => before.get(file)), warnings });
});

test.each(golden.versions)('the version of $what', ({ contents, canonical, version }) => {
  expect(createHash('sha256').update(canonical).digest('hex').slice(0, 16)).toBe(version);
  expect(createManifest(contents).version).toBe(version);
});
