/** What a real Prometheus gets from the roles as processes of their own, and what it makes of our rules and dashboards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { METRICS } from '../../../shared/metrics/definitions.ts';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type Command, type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, REPOSITORY } from '../../helpers/project.ts';
import { findPrometheus, type PrometheusTools, promtool, startPrometheus } from '../../helpers/prometheus.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const APP = join(REPOSITORY, 'tests/acceptance/observability/fixtures/mixed');
const RULES = join(REPOSITORY, 'deploy/prometheus/rules.yml');
const ROLES = ['gateway', 'worker', 'python-worker', 'scheduler'] as const;

async function prometheusTools(context: TestContext): Promise<PrometheusTools> {
  const tools = await findPrometheus();
  context.skip(typeof tools === 'string', String(tools));
  return tools as PrometheusTools;
}

const opsPort = async (cli: RunningCli) => Number((await cli.waitForLog({ action: 'metrics' })).port);
const health = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}/health/${path}`)).status;

test('Prometheus has of each role what the traffic was', async (context) => {
  const tools = await prometheusTools(context);
  const python = await pythonEnvironment(context);
  const project = await createProject({ copyOf: APP });
  await using server = await startNatsServer();
  const env = { ...python, NATS_URL: server.url, MOTIA_METRICS_PORT: '0' };
  expect(await (await startCli('provision', project, { env, ready: false })).exited).toBe(0);
  const start = (role: Command) => startCli(role, project, { env });
  const [gateway, ...others] = (await Promise.all(ROLES.map(start))) as [RunningCli, ...RunningCli[]];
  const ports = await Promise.all([gateway, ...others].map(opsPort));
  const prometheus = await startPrometheus(tools, ports, RULES);
  for (const port of ports) {
    expect([await health(port, 'live'), await health(port, 'ready')]).toEqual([200, 200]);
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await promtool(tools, ['check', 'metrics'], text);
  }

  const call = (path: string) => gateway.fetch(path, { method: 'POST' });
  for (const id of ['a', 'b', 'dead']) expect((await call(`/first/${id}`)).status).toBe(200);
  expect((await call('/first/broken')).status).toBe(500);
  for (const path of ['/x', '/y', '/z']) expect((await call(path)).status).toBe(404);

  // What 3 calls that went well and one that did not have caused. Of the 6 third events, 2 fail twice.
  const expected: [expression: string, labels: string[], values: Record<string, number>][] = [
    [
      'motia_http_request_duration_seconds_count',
      ['route', 'method', 'status'],
      { '/first/:id,POST,2xx': 3, '/first/:id,POST,5xx': 1, 'unmatched,POST,4xx': 3 },
    ],
    [
      'motia_run_duration_seconds_count{kind!="cron"}',
      ['role', 'step', 'kind', 'outcome'],
      {
        'worker,First,api,succeeded': 3,
        'worker,First,api,failed': 1,
        'python-worker,Second,event,succeeded': 3,
        'worker,Third,event,succeeded': 4,
        'worker,Third,event,failed': 4,
      },
    ],
    [
      'motia_event_attempts_total > 0',
      ['role', 'step', 'topic', 'outcome'],
      {
        'python-worker,Second,second,done': 3,
        'worker,Third,third,done': 4,
        'worker,Third,third,retried': 2,
        'worker,Third,third,dead': 2,
      },
    ],
    ['motia_emits_total > 0', ['role', 'step'], { 'worker,First': 3, 'python-worker,Second': 6 }],
    ['motia_dead_letters', ['step'], { Second: 0, Third: 2 }],
    [
      'motia_queue_depth + motia_queue_in_flight + motia_queue_later',
      ['step', 'topic'],
      { 'Second,second': 0, 'Third,third': 0 },
    ],
    ['motia_queue_wait_seconds_count{kind="api"}', ['step'], { First: 4 }],
    ['sum by (role) (motia_ready)', ['role'], Object.fromEntries(ROLES.map((role) => [role, 1]))],
    ['motia_broker_connected', ['role'], Object.fromEntries(ROLES.map((role) => [role, 1]))],
    ['motia_scheduler_leader', ['role'], { scheduler: 1 }],
    ['process_resident_memory_bytes > bool 0', ['role'], Object.fromEntries(ROLES.map((role) => [role, 1]))],
    ['motia_cron_ticks_total{outcome="fired"} > bool 0', ['step'], { Tick: 1 }],
    ['motia_run_duration_seconds_count{kind="cron",outcome="succeeded"} > bool 0', ['step'], { Tick: 1 }],
    ['sum by (role) (motia_handlers) > bool 0', ['role'], { worker: 1, 'python-worker': 1 }],
  ];
  for (const [expression, labels, values] of expected) {
    const look = async () => {
      expect(await prometheus.query(expression, ...labels)).toEqual(values);
      return true;
    };
    await waitFor(look, { what: expression, within: 30_000, every: 200 });
  }

  const { traceId } = (await (await call('/first/c')).json()) as { traceId: string };
  await waitFor(
    async () => {
      type Series = { exemplars: { labels: { trace_id: string } }[] }[];
      const path = `/api/v1/query_exemplars?query=motia_http_request_duration_seconds_bucket&start=0&end=${Date.now()}`;
      const found = (await prometheus.get<Series>(path)).flatMap((series) => series.exemplars);
      return found.some(({ labels }) => labels.trace_id === traceId);
    },
    { what: 'the exemplar of a call', within: 20_000, every: 200 },
  );

  const alerting = async () =>
    (await prometheus.get<{ alerts: { labels: { alertname: string } }[] }>('/api/v1/alerts')).alerts.map(
      ({ labels }) => labels.alertname,
    );
  await server.stop();
  await waitFor(async () => Object.keys(await prometheus.query('motia_broker_connected == 0', 'role')).length === 4, {
    what: 'every role to tell that the broker is gone',
    within: 30_000,
    every: 200,
  });
  for (const port of ports) expect([await health(port, 'live'), await health(port, 'ready')]).toEqual([200, 503]);
  await waitFor(async () => (await alerting()).includes('MotiaBrokerLost'), { within: 20_000, every: 200 });
});

test('the rules are valid, and alert when they should', async (context) => {
  const tools = await prometheusTools(context);
  const folder = join(REPOSITORY, 'deploy/prometheus');
  await promtool(tools, ['check', 'config', 'prometheus.yml'], '', folder);
  await promtool(tools, ['test', 'rules', 'rules.test.yml'], '', folder);
});

/** Of the process, from the libraries. */
const STANDARD = ['process_cpu_seconds_total', 'process_resident_memory_bytes'];

test('rules and dashboards ask for metrics and labels that there are', () => {
  const dashboards = join(REPOSITORY, 'deploy/grafana/dashboards');
  const files = [RULES, ...readdirSync(dashboards).map((file) => join(dashboards, file))];
  const known = new Set<string>(STANDARD);
  for (const [name, { type }] of Object.entries(METRICS)) {
    for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) known.add(name + suffix);
  }
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const asked = new Set(text.match(/\b(motia|process)_[a-z_]+\b/g));
    expect(
      [...asked].filter((name) => !known.has(name)),
      file,
    ).toEqual([]);
    expect(asked.size, file).toBeGreaterThan(5);
  }
  const shown = files.map((file) => readFileSync(file, 'utf8')).join();
  expect(Object.keys(METRICS).filter((name) => !shown.includes(name))).toEqual([]);
});
