/** What workers are asked about who may follow streams, by the golden file that the Python tests read, too. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requestSource } from '../../../shared/broker/consumers.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { accessSteps, isAccessStep } from '../../../shared/steps/access-steps.ts';
import { takesStep } from '../../../shared/steps/app-part.ts';
import type { StreamEntry } from '../../../shared/steps/manifest.ts';
import { resolveSettings } from '../../../shared/steps/project-settings.ts';

const { app, streams, calls } = JSON.parse(
  readFileSync(new URL('../../../shared/protocol/golden/access.json', import.meta.url), 'utf8'),
) as { app: string; streams: StreamEntry[]; calls: Record<StreamEntry['language'], unknown[]> };

test('the calls that a manifest asks for', () => {
  const names = createNames(app);
  const settings = resolveSettings({ streamAuth: { authenticate: () => null } });
  const asked = accessSteps({ streams, settings });
  const shown = (language: string) =>
    asked
      .filter((step) => step.language === language)
      .map(({ id, file }) => {
        const { durable, filters } = requestSource(names, id);
        return [id, file, durable, ...filters];
      });
  expect({ node: shown('node'), python: shown('python') }).toEqual(calls);
  expect(accessSteps({ streams: streams.slice(1, 2), settings: resolveSettings({}) })).toEqual([]);
});

test('they are in every part of an app', () => {
  const [step] = accessSteps({ streams, settings: resolveSettings({}) });
  expect(step && isAccessStep(step)).toBe(true);
  expect(step && takesStep({ steps: ['Pay'], topics: [], flows: [] }, step)).toBe(true);
});
