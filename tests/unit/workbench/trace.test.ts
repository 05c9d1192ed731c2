/** Traces as the page draws them, and stacks. */
import { expect, test } from 'vitest';
import type { SpanNode, Trace } from '../../../shared/broker/telemetry-trace.ts';
import { toFrames } from '../../../workbench/src/lib/stack.ts';
import { ageText, durationText } from '../../../workbench/src/lib/time.ts';
import { countSpans, findSpan, toRows } from '../../../workbench/src/screens/traces/waterfall-rows.ts';

const span = (spanId: string, start: number, end: number | undefined, children: SpanNode[] = []): SpanNode => ({
  ...{ traceId: 't', spanId, name: spanId, kind: 'internal', start, node: 'n', running: end === undefined, children },
  ...(end !== undefined && { end, durationMs: end - start }),
});

const trace: Trace = {
  ...{ traceId: 't', status: 'completed', startedAt: '', durationMs: 100, complete: true },
  roots: [
    span('root', 1_000, 1_050, [
      { ...span('child', 1_040, 1_060, [span('leaf', 1_050, 1_050)]), attributes: { 'motia.queue.wait_ms': 20 } },
      span('late', 1_090, 1_100),
    ]),
  ],
  logs: [{ level: 'warn', time: new Date(1_045).toISOString(), msg: '', spanId: 'child' }],
};

test('spans are rows in the order of the tree, with their place in time', () => {
  const rows = toRows(trace, new Set(), 0);
  const seen = rows.map(({ span, depth, below, from }) => [span.spanId, depth, below, Number(from.toFixed(3))]);
  expect(seen).toEqual([
    ['root', 0, 3, 0],
    ['child', 1, 1, 0.4],
    ['leaf', 2, 0, 0.5],
    ['late', 1, 0, 0.9],
  ]);
  expect(rows[1]).toMatchObject({ waited: expect.closeTo(0.2), width: expect.closeTo(0.2) });
  expect(rows[1]?.marks).toEqual([{ at: expect.closeTo(0.45), level: 'warn' }]);
  expect(rows[2]?.width).toBeGreaterThan(0);
});

test('what is below a closed span is counted, and not shown', () => {
  const rows = toRows(trace, new Set(['child']), 0);
  expect(rows.map(({ span, below, isOpen }) => [span.spanId, below, isOpen])).toEqual([
    ['root', 3, true],
    ['child', 1, false],
    ['late', 0, true],
  ]);
  expect(countSpans(trace.roots)).toBe(4);
  expect(findSpan(trace.roots, 'leaf')?.spanId).toBe('leaf');
});

test('a span that goes on reaches up to now', () => {
  const running: Trace = { ...trace, status: 'running', roots: [span('on', 1_000, undefined)], durationMs: 0 };
  expect(toRows(running, new Set(), 3_000)[0]).toMatchObject({ from: 0, width: 1 });
});

test('lines of the project are found in the stacks of both languages', () => {
  const files = ['src/a.step.ts', 'src/b_step.py'];
  const node = 'Error: no\n    at handler (/home/me/app/src/a.step.ts:14:66)\n    at run (node:internal:1:2)';
  expect(toFrames(node, files)[1]).toMatchObject({ file: 'src/a.step.ts', line: 14 });
  expect(toFrames(node, files)[2]).not.toHaveProperty('file');
  expect(toFrames('    at file:///app/src/a.step.ts:3:1', files)[0]).toMatchObject({ file: 'src/a.step.ts', line: 3 });
  const python =
    '  File "/home/me/app/src/b_step.py", line 17, in handler\n  File "/usr/lib/asyncio.py", line 1, in run';
  expect(toFrames(python, files)).toMatchObject([{ file: 'src/b_step.py', line: 17 }, {}]);
});

test('times as people read them', () => {
  expect([0.44, 38.4, 1_520, 125_000, 11_400_000].map(durationText)).toEqual([
    '0.4 ms',
    '38 ms',
    '1.52 s',
    '2 m 5 s',
    '3 h 10 m',
  ]);
  expect([400, 12_000, 180_000, -5_000].map(ageText)).toEqual(['now', '12 s ago', '3 m ago', 'in 5 s']);
});
