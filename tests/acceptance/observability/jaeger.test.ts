/** What a real Jaeger shows of a chain through both languages, with the variables that OpenTelemetry defines. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { type JaegerSpan, startJaeger } from '../../helpers/jaeger.ts';
import { createProject, REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const APP = join(REPOSITORY, 'tests/acceptance/observability/fixtures/mixed');

test('a chain of TypeScript, Python and TypeScript is one trace in Jaeger', async (context) => {
  const python = await pythonEnvironment(context);
  const jaeger = await startJaeger(context);
  const project = await createProject({ copyOf: APP });
  const env = {
    ...python,
    OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20none',
    OTEL_SERVICE_NAME: 'the-chain',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '1',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
  };
  const cli = await startCli('start', project, { env });
  const { traceId } = (await (await cli.fetch('/first/a', { method: 'POST' })).json()) as { traceId: string };
  await waitFor(() => cli.logs({ msg: 'done' }).length === 2, { what: 'both ends of the chain', within: 20_000 });
  await cli.stop(); // exports what is left

  const wanted = [
    ...['POST /first/:id', 'run First', 'send second', 'process second'],
    ...['send third', 'send third', 'process third', 'process third'],
  ];
  const spans = await waitFor(
    async () => {
      const found = await jaeger.trace(traceId);
      return found.length >= wanted.length ? found : undefined;
    },
    { what: 'the trace', within: 20_000, every: 200 },
  );
  expect(spans.map(({ operationName }) => operationName).sort()).toEqual(wanted.sort());
  const named = (name: string) => spans.filter(({ operationName }) => operationName === name);
  const parents = (span: JaegerSpan) =>
    span.references.filter(({ refType }) => refType === 'CHILD_OF').map(({ spanID }) => spanID);
  for (const [child, parent] of [
    ['run First', 'POST /first/:id'],
    ['send second', 'run First'],
    ['process second', 'send second'],
    ['send third', 'process second'],
    ['process third', 'send third'],
  ] as const) {
    const ids = named(parent).map(({ spanID }) => spanID);
    // Each has a parent of its own where there are as many of them.
    const found = named(child).flatMap(parents).sort();
    expect(found, child).toEqual(ids.length === found.length ? ids.sort() : found.map(() => ids[0]));
  }
  const roleOf = (name: string) => tag(named(name)[0], 'motia.role');
  expect(['POST /first/:id', 'run First', 'process second', 'process third'].map(roleOf)).toEqual([
    'gateway',
    'worker',
    'python-worker',
    'worker',
  ]);
  expect(new Set(spans.map(({ process }) => process.serviceName))).toEqual(new Set(['the-chain']));
  expect(spans.map((span) => tag(span, 'deployment.environment'))).toEqual(spans.map(() => 'test'));
});

test.for([
  {
    why: 'the sampler leaves them out',
    settings: { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
  },
  { why: 'tracing is disabled', settings: { OTEL_SDK_DISABLED: 'true' } },
])('Jaeger gets nothing when $why', async ({ settings }, context) => {
  const jaeger = await startJaeger(context);
  const project = await createProject({ copyOf: APP });
  await project.remove('src/second_step.py'); // what the environment says is the same for both languages
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.endpoint, OTEL_SERVICE_NAME: 'silent', ...settings };
  const cli = await startCli('start', project, { env });
  expect((await cli.fetch('/first/a', { method: 'POST' })).status).toBe(200);
  await cli.stop(); // exports what is left
  expect(await jaeger.services()).not.toContain('silent');
});

function tag(span: JaegerSpan | undefined, key: string): unknown {
  return span?.process.tags.find((one) => one.key === key)?.value;
}
