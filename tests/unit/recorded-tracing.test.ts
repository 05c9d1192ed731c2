/** Which spans are kept, and what those cost that are not. */
import { expect, test } from 'vitest';
import type { TelemetryEnvironment } from '../../shared/config.ts';
import type { RecordedSpan } from '../../shared/recorded-span.ts';
import { createRecordedTracing } from '../../shared/recorded-tracing.ts';
import { STORED_COUNT_BYTES } from '../../shared/thinning.ts';

const SETTINGS: TelemetryEnvironment = {
  stored: true,
  disabled: false,
  headers: {},
  resourceAttributes: {},
  sampler: 'parentbased_always_on',
  payloads: false,
  samplerRatio: 1,
  waitingSpans: 2_048,
  exportedTogether: 512,
  exportAfterMs: 5_000,
};
const SAMPLED = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const NOT_SAMPLED = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

function tracing(counts?: SharedArrayBuffer) {
  const kept: RecordedSpan[] = [];
  const { startSpan } = createRecordedTracing(SETTINGS, { store: (span) => kept.push(span), counts });
  return { kept, startSpan };
}

test('a span of a trace that is not sampled is described and kept only if it fails, with the ids that it had', () => {
  const { kept, startSpan } = tracing();
  let described = 0;
  const options = { parent: NOT_SAMPLED, describe: () => ({ n: ++described }) };
  const well = startSpan('well', options);
  well.end();
  expect([well.recorded, described, kept.length]).toEqual([false, 0, 0]);

  const bad = startSpan('bad', options);
  const { traceparent } = bad;
  bad.fail(new Error('no truck'));
  bad.set({ size: 3 });
  bad.end();
  bad.end();
  expect(kept).toMatchObject([{ name: 'bad', attributes: { n: 1, size: 3 }, status: { message: 'no truck' } }]);
  expect(kept[0]?.traceparent).toBe(traceparent);
  expect(kept[0]).toMatchObject({ traceId: 'a'.repeat(32), parentId: 'b'.repeat(16), sampled: false });
});

test('one trace with thousands of runs: so many of them are kept in a second, and those that fail', () => {
  const { kept, startSpan } = tracing();
  for (let n = 0; n < 5_000; n++) startSpan('run', { parent: SAMPLED }).end();
  expect(kept.length).toBeGreaterThanOrEqual(500);
  expect(kept.length).toBeLessThan(2_000);
  const failed = startSpan('failed', { parent: SAMPLED });
  failed.fail(new Error('x'));
  failed.end();
  expect(kept.at(-1)?.name).toBe('failed');
});

test('threads of a process share what is kept in a second', () => {
  const counts = new SharedArrayBuffer(STORED_COUNT_BYTES);
  const [one, other] = [tracing(counts), tracing(counts)];
  const began = performance.now();
  for (let n = 0; n < 1_000; n++) for (const { startSpan } of [one, other]) startSpan('run', { parent: SAMPLED }).end();
  const seconds = Math.ceil((performance.now() - began) / 1_000);
  expect(one.kept.length).toBeGreaterThan(100);
  expect(other.kept.length).toBeGreaterThan(100);
  expect(one.kept.length + other.kept.length).toBeLessThanOrEqual(500 * seconds);
});
