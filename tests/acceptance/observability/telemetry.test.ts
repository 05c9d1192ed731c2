/** Traces and logs of a running project: by the admin API and by commands, in several languages, and after a restart. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SpanNode } from '../../../shared/broker/telemetry-trace.ts';
import { type Command, type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { testPython } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const python = await testPython();

const files = {
  'package.json': '{ "name": "seen", "type": "module" }',
  'motia.config.ts': 'export default { tracing: { trustIncoming: true }, telemetry: { days: 2 } };',
  'src/order.step.ts': `
    export const config = { type: 'api', name: 'Order', method: 'POST', path: '/orders/:id', flows: ['shop'], emits: ['order.made'] };
    export const handler = async (req: any, { emit, logger, traceId }: any) => {
      if (req.pathParams.id === '0') throw new Error('no such order');
      logger.info('ordering', { id: req.pathParams.id });
      await emit({ topic: 'order.made', data: {} });
      return { status: 200, body: { traceId } };
    };`,
  'src/ship.step.ts': `
    export const config = { type: 'event', name: 'Ship', subscribes: ['order.packed'], emits: [] };
    export const handler = async (input: any, { logger }: any) => logger.warn('shipped');`,
};
const packed = {
  'src/pack.step.ts': `
    export const config = { type: 'event', name: 'Pack', subscribes: ['order.made'], emits: ['order.packed'] };
    export const handler = async (input: any, { emit }: any) => emit({ topic: 'order.packed', data: {} });`,
};
const packedInPython = {
  'src/pack_step.py': `
config = {"type": "event", "name": "Pack", "subscribes": ["order.made"], "emits": ["order.packed"]}

async def handler(data, context):
    await context.emit({"topic": "order.packed", "data": {}})
`,
};

describe('a project that runs', () => {
  let project: Project;
  let cli: RunningCli;
  let traceId: string;
  const start = async () => {
    cli = await startCli('dev', project, {
      env: python === undefined ? {} : { MOTIA_PYTHON: python },
      readyWithin: 60_000,
    });
  };
  beforeAll(async () => {
    if (python === undefined) console.error('SKIPPED: a trace through Python, since there is none');
    project = await createProject({ files: { ...files, ...(python === undefined ? packed : packedInPython) } });
    await start();
    traceId = (await send(`${cli.url}/orders/7`, { method: 'POST' })).json().traceId;
    await waitFor(async () => names((await admin(`/traces/${traceId}`)).roots).includes('process order.packed'), {
      within: 15_000,
    });
  }, 120_000);
  afterAll(() => cli.stop());

  const admin = async (path: string) => (await send(`${cli.url}/__motia/api/v1${path}`)).json();
  const run = async (command: Command, ...args: string[]) => {
    const ran = await startCli(command, project, { args, ready: false });
    return { code: await ran.exited, output: ran.output() };
  };

  test('one tree leads through the processes of all languages', async () => {
    const { roots, logs, status } = await admin(`/traces/${traceId}`);
    expect(status).toBe('completed');
    expect(names(roots)).toEqual([
      ...['POST /orders/:id', 'run Order', 'send order.made'],
      ...['process order.made', 'send order.packed', 'process order.packed'],
    ]);
    expect(logs).toMatchObject([
      { msg: 'ordering', flows: ['shop'] },
      { msg: 'shipped', level: 'warn' },
    ]);
    const { traces } = await admin(`/traces?step=Pack&flow=shop&since=1h&status=completed`);
    expect(traces).toMatchObject([{ traceId, name: 'POST /orders/:id', steps: ['Order', 'Pack', 'Ship'] }]);
    const lines = (await send(`${cli.url}/__motia/api/v1/traces/${traceId}?format=jsonl`)).body.toString().trim();
    expect(lines.split('\n').map((line) => JSON.parse(line).name ?? JSON.parse(line).msg)).toEqual([
      ...names(roots),
      'ordering',
      'shipped',
    ]);
  });

  test('commands show the tree, list traces and logs', async () => {
    const { output } = await run('trace', traceId);
    expect(output).toMatch(/^trace [0-9a-f]{32}\ncompleted, began \S+Z, .+\n\nPOST \/orders\/:id \(Order\) /);
    expect(output).toMatch(/\n└─ run Order( \(waited [^)]+\))? +\d/);
    expect(output).toMatch(/ warn Ship: shipped$/m);
    expect(output, 'no colours where nobody sees them').not.toContain('\u001b');
    expect((await run('traces', '--step', 'Ship')).output).toMatch(
      new RegExp(`Z +${traceId} +POST /orders/:id +completed`),
    );
    const logs = (await run('logs', '--trace', traceId, '--level', 'warn')).output.trim().split('\n');
    expect(logs.map((line) => JSON.parse(line))).toMatchObject([{ msg: 'shipped', traceId }]);
    expect(await run('trace', 'f'.repeat(32))).toEqual({
      code: 1,
      output: `nothing is stored of a trace ${'f'.repeat(32)}\n`,
    });
    expect(await run('logs', '--since', 'tomorrow')).toMatchObject({ code: 2 });
  });

  test('a failing request is a failed trace, and a caller who is trusted goes on with theirs', async () => {
    const callers = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { errorId } = (
      await send(`${cli.url}/orders/0`, { method: 'POST', headers: { traceparent: callers } })
    ).json();
    const trace = await waitFor(async () => {
      const found = await admin(`/traces/${'a'.repeat(32)}`);
      return found.logs?.length > 0 && names(found.roots).length === 3 ? found : undefined;
    });
    expect(trace).toMatchObject({
      status: 'failed',
      roots: [
        {
          missing: true,
          spanId: 'b'.repeat(16),
          children: [{ name: 'POST /orders/:id', error: 'answered with 500', children: [{ error: 'no such order' }] }],
        },
      ],
      logs: [{ action: 'request_failed', errorId, err: { message: 'no such order' } }],
    });
    expect((await admin('/traces?status=failed')).traces).toMatchObject([{ traceId: 'a'.repeat(32) }]);
  });

  test('the log is followed, by the admin API and by the command, until whoever follows has had enough', async () => {
    const command = await startCli('logs', project, { args: ['--follow', '--step', 'Ship'], ready: false });
    const listening = get(`${cli.url}/__motia/api/v1/logs/follow?step=Ship`);
    const [response] = (await once(listening, 'response')) as [IncomingMessage];
    expect(response.headers['content-type']).toBe('text/event-stream');
    let told = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    response.on('error', () => {}); // we end it ourselves
    await waitFor(
      async () => {
        await send(`${cli.url}/orders/8`, { method: 'POST' });
        return /^data: \{.*"shipped"\}$/m.test(told) && command.logs({ msg: 'shipped' }).length > 1;
      },
      { within: 20_000, every: 500 },
    );
    listening.destroy();
    expect(await command.stop()).toBe(0);
  });

  test('what makes no sense is refused', async () => {
    for (const path of ['/traces?status=odd', '/logs?level=loud', '/logs?since=soon', '/logs?cursor=a', '/traces/x']) {
      expect((await send(`${cli.url}/__motia/api/v1${path}`)).status, path).toBe(400);
    }
    expect((await send(`${cli.url}/__motia/api/v1/traces/${'e'.repeat(32)}`)).status).toBe(404);
  });

  test('who still follows does not hold up the end, and all of it is there after a restart', async () => {
    const [following] = (await once(get(`${cli.url}/__motia/api/v1/logs/follow`), 'response')) as [IncomingMessage];
    const ended = once(following.resume(), 'end');
    expect(await cli.stop(), cli.output()).toBe(0);
    expect(cli.logs({ action: 'close_failed' })).toEqual([]);
    await ended;
    await start();
    const { roots, logs } = await admin(`/traces/${traceId}`);
    expect(names(roots)).toHaveLength(6);
    expect(logs).toHaveLength(2);
    expect((await admin('/logs?text=Stopping')).logs).toMatchObject([{ action: 'shutdown' }]);
  });
});

function names(roots: SpanNode[] | undefined): string[] {
  return (roots ?? []).flatMap(({ name, children }) => [name, ...names(children)]);
}
