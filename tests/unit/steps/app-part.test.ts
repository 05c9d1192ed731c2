/** What a worker takes of an app, by the golden file that the Python tests read, too. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type AppPart, checkPart, takesStep, takesTopic } from '../../../shared/steps/app-part.ts';
import type { StepEntry } from '../../../shared/steps/manifest.ts';

const { steps, parts } = JSON.parse(
  readFileSync(new URL('../../../shared/protocol/golden/parts.json', import.meta.url), 'utf8'),
) as { steps: StepEntry[]; parts: { part: AppPart; takes?: string[]; error?: string }[] };

test.each(parts)('$part', ({ part, takes, error }) => {
  if (error !== undefined) {
    expect(() => checkPart(part, steps)).toThrow(error);
    return;
  }
  checkPart(part, steps);
  const taken = steps.flatMap((step) => {
    if (step.type === 'noop') return [];
    if (step.type !== 'event') return takesStep(part, step) ? [step.file] : [];
    return (step.subscribes ?? [])
      .filter((topic) => takesTopic(part, step, topic))
      .map((topic) => `${step.file} ${topic}`);
  });
  expect(taken).toEqual(takes);
});
