/** One trace from the request to the last event, exported over OTLP/HTTP and found again in the log. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { type ExportedSpan, startCollector } from '../../helpers/collector.ts';
import { send } from '../../helpers/http.ts';
import { createProject } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const files = {
  'package.json': '{ "name": "traced", "type": "module" }',
  'src/order.step.ts': `
    export const config = { type: 'api', name: 'Order', method: 'POST', path: '/orders/:id', emits: ['order.made'] };
    export const handler = async (req: any, { emit, logger, traceId }: any) => {
      logger.info('ordering', { id: req.pathParams.id });
      await emit({ topic: 'order.made', data: { id: req.pathParams.id } });
      return { status: 200, body: { traceId } };
    };`,
  'src/parcels.stream.ts': `
    export const config = { name: 'parcels', schema: {}, baseConfig: { storageType: 'default' } };`,
  'src/ship.step.ts': `
    export const config = { type: 'event', name: 'Ship', subscribes: ['order.made'], emits: [] };
    export const handler = async (input: any, { state, streams, logger, attempt }: any) => {
      if (attempt === 1) throw new Error('no truck');
      await state.set('shipped', input.id, true);
      await streams.parcels.update('today', input.id, [{ type: 'increment', path: 'stops' }]);
      logger.warn('shipped', { action: 'shipping', step: 'mine' });
    };`,
  'src/tidy.step.ts': `
    export const config = { type: 'cron', name: 'Tidy', cron: '0 0 1 1 *', emits: ['order.made'] };
    export const handler = async ({ emit }: any) => {
      await emit({ topic: 'order.made', data: { id: 'tidied' } });
      throw new Error('no broom');
    };`,
};

test('request, runs, emit, state and streams are spans of one trace, under the right parents', async () => {
  const project = await createProject({ files });
  await using collector = await startCollector();
  const cli = await startCli('start', project, {
    env: { ...collector.env, OTEL_SERVICE_NAME: 'shop' },
  });
  const callers = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const answer = await send(`${cli.url}/orders/7?x=1`, { method: 'POST', headers: { traceparent: callers } });
  const { traceId } = answer.json() as { traceId: string };
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(traceId, 'a caller does not choose it').not.toBe('a'.repeat(32));

  const named = (name: string) => collector.spans.filter((span) => span.traceId === traceId && span.name === name);
  await waitFor(() => named('stream.update').length === 1 && named('POST /orders/:id').length === 1, {
    within: 15_000,
  });

  const [request] = named('POST /orders/:id') as [ExportedSpan];
  const [run] = named('run Order') as [ExportedSpan];
  const [emit] = named('send order.made') as [ExportedSpan];
  const attempts = named('process order.made');
  const [set] = named('state.set') as [ExportedSpan];
  const [update] = named('stream.update') as [ExportedSpan];
  expect([request.parentSpanId, request.resource['service.name']]).toEqual(['', 'shop']);
  expect(request.links).toEqual([expect.objectContaining({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) })]);
  expect(run.parentSpanId).toBe(request.spanId);
  expect(emit.parentSpanId).toBe(run.spanId);
  expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual([emit.spanId, emit.spanId]);
  expect(attempts.map(({ attributes }) => attributes['motia.attempt']).sort()).toEqual([1, 2]);
  const [failed, succeeded] = attempts.sort(
    (a, b) => Number(a.attributes['motia.attempt']) - Number(b.attributes['motia.attempt']),
  );
  expect([failed?.status, succeeded?.status]).toEqual([2, 0]);
  expect([set.parentSpanId, update.parentSpanId]).toEqual([succeeded?.spanId, succeeded?.spanId]);
  expect(update.attributes).toMatchObject({
    'motia.stream': 'parcels',
    'motia.stream.group': 'today',
    'motia.stream.id': '7',
  });
  expect(request.attributes).toMatchObject({ 'http.route': '/orders/:id', 'http.response.status_code': 200 });

  const records = cli.logs().filter((record) => record.traceId === traceId);
  expect(records).toEqual([
    expect.objectContaining({
      level: 'info',
      msg: 'ordering',
      action: 'log',
      step: 'Order',
      id: '7',
      spanId: run.spanId,
    }),
    expect.objectContaining({ level: 'warn', action: 'run_failed', step: 'Ship', attempt: 1 }),
    expect.objectContaining({
      level: 'warn',
      msg: 'shipped',
      action: 'shipping',
      step: 'mine',
      spanId: succeeded?.spanId,
    }),
  ]);
});

test('a cron run is a span that begins a trace, with whatever it causes in it', async () => {
  const project = await createProject({ files });
  await using collector = await startCollector();
  const cli = await startCli('dev', project, { env: collector.env });
  const spans = (name: string) => collector.spans.filter((span) => span.name === name);
  for (let n = 0; n < 2; n++)
    await send(`${cli.url}/__motia/api/v1/cron/Tidy/trigger`, { method: 'POST', headers: { 'x-motia-request': '1' } });
  await waitFor(() => spans('cron Tidy').length === 2 && spans('send order.made').length === 2, { within: 15_000 });
  const [first, second] = spans('cron Tidy') as [ExportedSpan, ExportedSpan];
  expect(first.traceId).not.toBe(second.traceId);
  for (const run of [first, second]) {
    expect([run.parentSpanId, run.status]).toEqual(['', 2]);
    expect(run.attributes).toMatchObject({
      'motia.step.name': 'Tidy',
      'faas.trigger': 'timer',
      'faas.cron': '0 0 1 1 *',
    });
    const sent = spans('send order.made').find(({ traceId }) => traceId === run.traceId);
    expect(sent?.parentSpanId).toBe(run.spanId);
    expect(await cli.waitForLog({ action: 'run_failed', step: 'Tidy', traceId: run.traceId })).toMatchObject({
      level: 'error',
    });
  }
});
