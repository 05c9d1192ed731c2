/** Which spans are recorded, and which of them are stored. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { TelemetryEnvironment } from '../../shared/config.ts';
import type { RecordedSpan } from '../../shared/recorded-span.ts';
import { createRecordedTracing } from '../../shared/recorded-tracing.ts';
import { createSampling } from '../../shared/sampling.ts';
import { Thinning } from '../../shared/thinning.ts';
import { newTraceId } from '../../shared/trace-ids.ts';

const settings = {
  stored: true,
  payloads: false,
  disabled: false,
  headers: {},
  samplerRatio: 1,
  waitingSpans: 2_048,
  exportedTogether: 512,
  exportAfterMs: 5_000,
  resourceAttributes: {},
};
const parentOf = (sampled: boolean) => `00-${newTraceId()}-${'b'.repeat(16)}-0${Number(sampled)}`;

test('where nobody has said how many are wanted, the first of each second are, and what they cause', () => {
  const environment: TelemetryEnvironment = { ...settings, sampler: 'parentbased_always_on', tracesPerSecond: 3 };
  const isSampled = createSampling(environment);
  const sampled = Array.from({ length: 50 }, () => isSampled(undefined, newTraceId()));
  expect(sampled.slice(0, 3)).toEqual([true, true, true]);
  expect(sampled.filter(Boolean).length).toBeLessThan(10); // a second may begin meanwhile
  expect(isSampled({ traceId: newTraceId(), spanId: '1', sampled: true }, newTraceId())).toBe(true);
  expect(isSampled({ traceId: newTraceId(), spanId: '1', sampled: false }, newTraceId())).toBe(false);
});

test('of a trace that is not sampled, what fails is stored', () => {
  const stored: RecordedSpan[] = [];
  const store = (span: RecordedSpan) => void stored.push(span);
  const environment: TelemetryEnvironment = { ...settings, sampler: 'parentbased_always_on' };
  const tracing = createRecordedTracing(environment, { store });
  const names = ['not sampled', 'failed', 'sampled'].map((name) => {
    const span = tracing.startSpan(name, { parent: parentOf(name === 'sampled') });
    if (name === 'failed') span.fail(new Error('no'));
    span.end();
    span.end();
    return name;
  });
  expect(stored.map(({ name }) => name)).toEqual(names.slice(1));
});

test('a process that is too busy stores less, of the same traces as others', () => {
  const [one, other] = [new Thinning(100), new Thinning(100)];
  const ids = Array.from({ length: 20_000 }, newTraceId);
  const kept = ids.filter((id) => one.keeps(id));
  expect(kept.length).toBeLessThan(5_000);
  expect(kept.length).toBeGreaterThan(100);
  const keptByOther = new Set(ids.filter((id) => other.keeps(id)));
  expect(kept.filter((id) => keptByOther.has(id)).length).toBeGreaterThan(100);
});

test('a process that was too busy and no longer is stores everything', async () => {
  const thinning = new Thinning(100);
  for (let n = 0; n < 20_000; n++) thinning.keeps(newTraceId());
  await sleep(1_100);
  expect(Array.from({ length: 50 }, () => thinning.keeps(newTraceId()))).not.toContain(false);
});
