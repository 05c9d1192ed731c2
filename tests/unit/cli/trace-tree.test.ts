/** How a trace is drawn: in any width, with and without colours. */
import { expect, test } from 'vitest';
import { drawTrace, duration } from '../../../cli/trace-tree.ts';
import type { SpanNode, Trace } from '../../../shared/broker/telemetry-trace.ts';

const START = Date.parse('2030-01-31T12:00:00.000Z');

const span = (name: string, start: number, durationMs: number | undefined, more: Partial<SpanNode> = {}): SpanNode => ({
  ...{ traceId: 't', spanId: name, name, kind: 'internal', start: START + start, node: 'n', children: [] },
  ...(durationMs === undefined ? { running: true } : { running: false, durationMs, end: START + start + durationMs }),
  ...more,
});

const trace: Trace = {
  traceId: '0199a0b1c2d30e4f5a6b7c8d9e0f1ac5',
  status: 'failed',
  startedAt: new Date(START).toISOString(),
  durationMs: 100,
  complete: true,
  roots: [
    span('POST /orders', 0, 100, {
      children: [
        span('run Order', 10, 50, { children: [span('state.set', 20, 0.25)] }),
        span('process order.made', 60, undefined, {
          error: 'no truck\nat all',
          attributes: { 'motia.step.name': 'Ship', 'motia.attempt': 2 },
        }),
      ],
    }),
  ],
  logs: [{ level: 'info', time: new Date(START + 12).toISOString(), step: 'Order', msg: 'ordering' }],
};

test('as a tree with bars, a line for each span', () => {
  expect(drawTrace(trace, { width: 80, color: false })).toBe(
    `
trace 0199a0b1c2d30e4f5a6b7c8d9e0f1ac5
failed, began 2030-01-31T12:00:00Z, 100 ms

POST /orders                                         100 ms ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇
├─ run Order                                          50 ms   ▇▇▇▇▇▇▇▇▇▇
│  └─ state.set                                      0.3 ms     ▇
└─ process order.made (Ship, attempt 2, failed, …         -             ▇
     no truck at all

   +12 ms info Order: ordering`.trimStart(),
  );
});

test('how long a run has waited is before its bar, if it fills a cell of it', () => {
  const waited = (ms: number) => ({ attributes: { 'motia.queue.wait_ms': ms } });
  const roots = [
    span('POST /orders', 0, 100, { children: [span('run A', 60, 40, waited(30)), span('run B', 60, 40, waited(4))] }),
  ];
  expect(drawTrace({ ...trace, roots, logs: [] }, { width: 80, color: false })).toBe(
    `
trace 0199a0b1c2d30e4f5a6b7c8d9e0f1ac5
failed, began 2030-01-31T12:00:00Z, 100 ms

POST /orders                                         100 ms ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇
├─ run A (waited 30 ms)                               40 ms       ┄┄┄┄┄┄▇▇▇▇▇▇▇▇
└─ run B                                              40 ms             ▇▇▇▇▇▇▇▇`.trimStart(),
  );
});

test.each([20, 40, 79, 100, 200])('no line is wider than %i columns, but for ids and times', (width) => {
  const [, , , ...lines] = drawTrace(trace, { width, color: false }).split('\n');
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(Math.max(width, 40));
});

test('colours tell what failed, what goes on and what is missing, and nothing else', () => {
  const colored = drawTrace(
    { ...trace, roots: [...trace.roots, span('?', 0, 0, { missing: true })] },
    { width: 80, color: true },
  );
  expect(colored).toContain('\u001b[31m└─ process');
  expect(colored).toContain('\u001b[2m(a span that is not stored');
  expect(colored).toMatch(/^POST \/orders/m);
});

test.each([
  [0.04, '0.0 ms'],
  [9.96, '10.0 ms'],
  [12.3, '12 ms'],
  [2_345, '2.3 s'],
  [600_000, '10 min'],
])('%d ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
