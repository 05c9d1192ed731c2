/** `motia dlq` and the admin API, on a project whose steps fail for good until the cause is repaired. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { type Collector, type ExportedSpan, startCollector } from '../../helpers/collector.ts';
import { send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { pythonEnvironment, testPython } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const files = {
  'package.json': '{ "name": "letters", "type": "module" }',
  'src/order.step.ts': `
    export const config = { type: 'api', name: 'Order', method: 'POST', path: '/orders', emits: [] };
    export const handler = async (req: any, { emit, state, traceId }: any) => {
      await state.set('repaired', 'all', req.body.repaired);
      if (req.body.id) await emit({ topic: 'order.' + req.body.for, data: { id: req.body.id } });
      return { status: 200, body: { traceId } };
    };`,
  'src/ship.step.ts': `
    export const config = { type: 'event', name: 'Ship', subscribes: ['order.node'], emits: [],
      infrastructure: { queue: { maxRetries: 0 } } };
    export const handler = async (input: any, { state, logger }: any) => {
      if (!(await state.get('repaired', 'all'))) throw new Error('no truck');
      logger.info('shipped', { id: input.id });
    };`,
};
const python = {
  'src/ship_step.py': `
config = {"type": "event", "name": "ShipPy", "subscribes": ["order.python"], "emits": [],
          "infrastructure": {"queue": {"maxRetries": 0}}}

async def handler(input, context):
    if not await context.state.get("repaired", "all"):
        raise ValueError("no truck")
    context.logger.info("shipped", {"id": input["id"]})
`,
};

interface Letter {
  id: string;
  step: string;
  traceId: string;
  error: { message: string; stack?: string };
}

describe('operating dead letters', () => {
  let project: Project;
  let cli: RunningCli;
  let collector: Collector;
  beforeAll(async () => {
    const interpreter = await testPython();
    project = await createProject({ files: interpreter ? { ...files, ...python } : files });
    collector = await startCollector();
    const env = { ...collector.env, ...(interpreter && { MOTIA_PYTHON: interpreter }) };
    cli = await startCli('dev', project, { env });
  });
  afterAll(() => collector[Symbol.asyncDispose]());

  const command = async (...args: string[]) => {
    const ran = await startCli('dlq', project, { args, ready: false });
    return { code: await ran.exited, output: ran.output() };
  };
  const order = async (body: object) => {
    const { json } = await send(`${cli.url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return json() as { traceId: string };
  };
  const admin = async (path: string, method = 'GET') => {
    const response = await send(`${cli.url}/__motia/api/v1${path}`, { method, headers: { 'x-motia-request': '1' } });
    return { status: response.status, body: response.body.length > 0 ? response.json() : undefined };
  };
  const letterOf = (step: string) =>
    waitFor(async () => {
      const { output } = await command('list', '--step', step, '--json');
      return (JSON.parse(output) as { deadLetters: Letter[] }).deadLetters[0];
    });

  test.for<[string, string]>([
    ['node', 'Ship'],
    ['python', 'ShipPy'],
  ])(
    '%s: a dead letter is found, understood and retried, in its trace and with a link to the emit',
    async ([language, step], context) => {
      if (language === 'python') await pythonEnvironment(context);
      const { traceId } = await order({ id: '7', for: language, repaired: false });
      const letter = await letterOf(step);
      expect(letter).toMatchObject({ step, traceId, error: { message: 'no truck' } });
      const listed = await command('list');
      expect(listed.output).toMatch(/^ID +STEP +TOPIC +DIED +ATTEMPTS +ERROR\n/);
      expect(listed.output).toMatch(new RegExp(`${letter.id} +${step} +order.${language} .* 1 +\\w*Error: no truck`));
      const shown = await command('show', letter.id);
      expect(shown.output).toContain('"id": "7"');
      expect(shown.output).toMatch(/handler/); // of the stack

      await order({ repaired: true });
      expect(await command('retry', letter.id)).toMatchObject({ code: 0, output: expect.stringContaining('again') });
      expect(await cli.waitForLog({ msg: 'shipped', step })).toMatchObject({ id: '7', traceId });
      expect((await command('show', letter.id)).code).toBe(1);

      const spans = (name: string) => collector.spans.filter((one) => one.traceId === traceId && one.name === name);
      const emit = await waitFor(() => spans(`send order.${language}`)[0]);
      const run = await waitFor(() => spans(`process order.${language}`).find(({ links }) => links.length > 0), {
        within: 15_000,
      });
      expect((run as ExportedSpan).links).toEqual([expect.objectContaining({ traceId, spanId: emit.spanId })]);
      expect(run?.parentSpanId).not.toBe(emit.spanId);
      expect(run?.attributes['motia.attempt']).toBe(1);
    },
  );

  test('the admin API does the same', async () => {
    await order({ id: '8', for: 'node', repaired: false });
    const { id } = await letterOf('Ship');
    expect(await admin('/dead-letters?step=Ship&limit=1')).toMatchObject({
      status: 200,
      body: { deadLetters: [{ id }] },
    });
    expect(await admin(`/dead-letters/${id}`)).toMatchObject({ status: 200, body: { data: { id: '8' } } });
    for (const path of ['?limit=0', '?limit=x', '?limit=501', '?after=x', '?step=a&step=b', '/x']) {
      expect(await admin(`/dead-letters${path}`), path).toMatchObject({
        status: 400,
        body: { error: expect.any(String) },
      });
    }
    expect((await admin('/dead-letters/999')).status).toBe(404);
    expect((await admin('/dead-letters', 'DELETE')).status).toBe(400);
    await order({ repaired: true });
    expect(await admin(`/dead-letters/${id}/retry`, 'POST')).toMatchObject({ status: 202, body: { id, step: 'Ship' } });
    await cli.waitForLog({ msg: 'shipped', id: '8' });
    expect(await admin('/dead-letters/retry?step=Ship', 'POST')).toEqual({
      status: 202,
      body: { retried: 0, refused: [] },
    });
  });

  test('all are retried, or thrown away when somebody says so', async () => {
    for (const id of ['10', '11', '12']) await order({ id, for: 'node', repaired: false });
    await waitFor(() => cli.logs({ action: 'event_dead', step: 'Ship' }).length >= 5);
    await order({ repaired: true });
    expect(await command('retry-all', '--step', 'Ship')).toEqual({
      code: 0,
      output: '3 dead letters will be tried again\n',
    });
    for (const id of ['10', '11', '12']) await cli.waitForLog({ msg: 'shipped', id });
    await order({ id: '13', for: 'node', repaired: false });
    const { id } = await letterOf('Ship');
    expect((await command('purge')).code).toBe(2);
    expect((await command('show', id)).code).toBe(0);
    expect(await command('purge', id, '--yes', '--json')).toEqual({ code: 0, output: '{\n  "purged": 1\n}\n' });
    expect(await command('purge', '--yes')).toEqual({ code: 0, output: '0 dead letters thrown away\n' });
    expect(await command('list')).toEqual({ code: 0, output: 'There are no dead letters\n' });
    for (const args of [['show'], ['retry'], ['explode']]) expect((await command(...args)).code).toBe(2);
  });
});
