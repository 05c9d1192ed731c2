/** What is counted, and the text that it becomes. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../../shared/metrics/definitions.ts';
import { expose, type MetricFamily } from '../../../shared/metrics/exposition.ts';
import { Metrics } from '../../../shared/metrics/metrics.ts';
import { encodeFrame, replyStatus } from '../../../shared/protocol/frames.ts';

const OPEN = 'application/openmetrics-text; version=1.0.0, text/plain;q=0.5';
const ROOT = new URL('../../../', import.meta.url);

test('the metrics are those of the golden file, in every language', () => {
  const { metrics } = JSON.parse(readFileSync(new URL('shared/protocol/golden/metrics.json', ROOT), 'utf8'));
  const ours = Object.entries(METRICS).map(([name, definition]) => ({ name, ...definition }));
  expect(metrics.map(({ roles: _, ...metric }: { roles: string[] }) => metric)).toEqual(ours);
});

test('every metric and each of its labels is described for users', () => {
  const docs = readFileSync(new URL('docs/metrics.md', ROOT), 'utf8');
  for (const [name, { labels }] of Object.entries(METRICS)) {
    const line = docs.split('\n').find((text) => text.startsWith(`| \`${name}\` `));
    expect(line, name).toBeDefined();
    for (const label of labels) expect(line, name).toContain(`\`${label}\``);
  }
});

describe('counting', () => {
  const metrics = () => new Metrics({ app: 'shop', role: 'worker' });
  const text = async (counted: Metrics, accept?: string) => expose(await counted.collect(), accept).text;

  test('a counter has its labels, and keeps its name in both formats', async () => {
    const counted = metrics();
    counted.counter('motia_emits_total', 'A').value += 2;
    counted.counter('motia_emits_total', 'A').value++;
    const line = 'motia_emits_total{app="shop",role="worker",step="A"} 3';
    expect(await text(counted)).toContain(`# TYPE motia_emits_total counter\n${line}\n`);
    expect(await text(counted, OPEN)).toContain(`# TYPE motia_emits counter\n${line}\n`);
    expect(await text(counted, OPEN)).toMatch(/\n# EOF\n$/);
    expect(await text(counted)).not.toContain('# EOF');
  });

  test('a histogram counts what is up to a bound in its bucket and those above', async () => {
    const counted = metrics();
    const durations = counted.histogram('motia_run_duration_seconds', 'A', 'api', 'succeeded');
    for (const seconds of [0.001, 0.0011, 1, 4_000]) durations.add(seconds);
    const labels = 'app="shop",role="worker",step="A",kind="api",outcome="succeeded"';
    const shown = await text(counted);
    for (const [bound, count] of [
      ['0.001', 1],
      ['0.0025', 2],
      ['0.5', 2],
      ['1.0', 3],
      ['300.0', 3],
      ['+Inf', 4],
    ]) {
      expect(shown).toContain(`motia_run_duration_seconds_bucket{${labels},le="${bound}"} ${count}\n`);
    }
    expect(shown).toContain(`motia_run_duration_seconds_count{${labels}} 4\n`);
    expect(shown).toContain(`motia_run_duration_seconds_sum{${labels}} 4001.0021\n`);
  });

  test('the newest trace of a bucket is its exemplar, for those who ask for OpenMetrics', async () => {
    const counted = metrics();
    const durations = counted.histogram('motia_queue_wait_seconds', 'A', 'event');
    for (const digit of ['1', '2']) durations.add(0.02, `00-${digit.repeat(32)}-${'3'.repeat(16)}-01`);
    expect(await text(counted, OPEN)).toMatch(/le="0.05"} 2 # \{trace_id="2{32}"} 0\.02 \d+(\.\d+)?\n/);
    expect(await text(counted)).not.toContain('trace_id');
  });

  test('a gauge is read when somebody asks', async () => {
    const counted = metrics();
    let value = 1;
    counted.gauge('motia_ready', () => value);
    value = 0;
    expect(await text(counted)).toContain('motia_ready{app="shop",role="worker"} 0\n');
  });

  test('gauges that cannot be read are left out', async () => {
    const counted = metrics();
    counted.readTogether(async () => undefined);
    expect(await text(counted)).toBe('\n');
  });
});

describe('the text', () => {
  const family = (labels: Record<string, string>, value = 1): MetricFamily => ({
    ...{ name: 'x', type: 'gauge', help: 'A\nB \\', samples: [{ suffix: '', labels, value }] },
  });

  test('what several processes tell under one name is one family', () => {
    const { text } = expose([family({ role: 'a' }), family({ role: 'b' }, 2)]);
    expect(text).toBe('# HELP x A\\nB \\\\\n# TYPE x gauge\nx{role="a"} 1\nx{role="b"} 2\n');
  });

  test('whatever a label says stays within its quotes', () => {
    expect(expose([family({ route: '/"a\\b\n#' })]).text).toContain('x{route="/\\"a\\\\b\\n#"} 1\n');
  });

  test('the content type is that of the format', () => {
    expect(expose([], OPEN).contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(expose([], 'text/plain').contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(expose([]).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });
});

test('the status of a reply frame is known without reading it', () => {
  const frame = (status: number) => encodeFrame({ t: 'end', status, headers: [['a', '"status":7']] }, '"status":8');
  expect([200, 404, 503].map((status) => replyStatus(frame(status)))).toEqual([200, 404, 503]);
  expect(replyStatus(encodeFrame({ t: 'beat' }))).toBe(0);
});
