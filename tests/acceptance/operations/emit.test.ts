/** Events from outside: by command, by the admin API, by the path of Motia 0.17, and by any NATS client. */
import { jetstream } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const MB = 1024 ** 2;
const files = {
  'package.json': '{ "name": "outside", "type": "module" }',
  'src/note.step.ts': `
    export const config = { type: 'event', name: 'Note', subscribes: ['note', 'order:made'], emits: [] };
    export const handler = async (input: any, { logger }: any) =>
      logger.info('noted', { input: typeof input === 'string' && input.length > 99 ? input.length : input });`,
};
const owner = {
  'src/emit.step.ts': `
    export const config = { type: 'api', name: 'Emit', method: 'POST', path: '/emit', emits: [] };
    export const handler = async () => ({ status: 201, body: { mine: true } });`,
};

describe('emits from outside', () => {
  let server: NatsServer;
  let project: Project;
  let cli: RunningCli;
  beforeAll(async () => {
    server = await startNatsServer();
    project = await createProject({ files });
    cli = await startCli('dev', project, { env: { NATS_URL: server.url } });
  });
  afterAll(() => server.stop());

  const command = async (...args: string[]) => {
    const ran = await startCli('emit', project, { args, env: { NATS_URL: server.url }, ready: false });
    return { code: await ran.exited, output: ran.output() };
  };
  const post = async (path: string, body: unknown, more: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await send(`${cli.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...more },
      body: text,
    });
    return { status: response.status, body: response.json() as Record<string, unknown> };
  };
  const EVENTS = '/__motia/api/v1/events';
  const noted = (input: unknown) => cli.waitForLog((record) => JSON.stringify(record.input) === JSON.stringify(input));

  test('by command: it answers when the event is stored, and tells its ids and who subscribes', async () => {
    const ran = await command('--topic', 'note', '--message', '{"n":1}', '--group', 'g', '--json');
    const { eventId, traceId, subscribers } = JSON.parse(ran.output) as Record<string, unknown>;
    expect([ran.code, subscribers]).toEqual([0, ['Note']]);
    expect(eventId).toEqual(expect.any(String));
    expect(await noted({ n: 1 })).toMatchObject({ traceId });
    expect((await command('--topic', 'note', '--message', '2')).output).toMatch(
      /^Stored event .+ \(trace .+\) for Note\n$/,
    );
    await noted(2);
    expect(await command('--topic', 'nobody', '--message', '3')).toMatchObject({
      code: 0,
      output: expect.stringContaining('Warning: no step subscribes to "nobody"'),
    });
    for (const [args, said] of [
      [['--topic', 'note'], 'message'],
      [['--message', '1'], 'topic'],
      [['--topic', 'note', '--message', '{n:1}'], '--message is not JSON'],
    ] as const) {
      expect(await command(...args)).toMatchObject({ code: 2, output: expect.stringContaining(said) });
    }
    expect((await command('--topic', 'note', '--message', '1', '--delay', '2678401')).code).toBe(1);
  });

  test('by the admin API, with delay and id; what makes no sense is refused', async () => {
    const { status, body } = await post(EVENTS, { topic: 'order:made', data: { n: 4 }, id: 'four' });
    expect([status, body]).toEqual([
      202,
      { eventId: expect.any(String), traceId: expect.any(String), topic: 'order:made', subscribers: ['Note'] },
    ]);
    await post(EVENTS, { topic: 'order:made', data: { n: 'again' }, id: 'four' });
    const at = Date.now();
    await post(EVENTS, { topic: 'note', data: { n: 5 }, delay: 1.5 });
    expect(Date.parse((await noted({ n: 5 })).time) - at).toBeGreaterThan(1_400);
    expect(await noted({ n: 4 })).toMatchObject({ traceId: body.traceId });
    expect(cli.logs((record) => JSON.stringify(record.input)?.includes('again') === true)).toEqual([]);
    expect((await post(EVENTS, { topic: 'nobody', data: 1 })).body).toMatchObject({ warning: expect.any(String) });
    for (const [refused, said] of [
      ['', 'not JSON'],
      ['{', 'not JSON'],
      ['[]', 'a list'],
      [{ data: 1 }, 'topic'],
      [{ topic: 7, data: 1 }, 'topic'],
      [{ topic: 't'.repeat(1_025) }, '1024'],
      [{ topic: 'note', data: 1, delay: -1 }, 'delay'],
      [{ topic: 'note', data: 1, delay: 2_678_401 }, 'delay'],
      [{ topic: 'note', data: 1, id: '' }, 'id'],
      [{ topic: 'note', data: 1, messageGroupId: 'g'.repeat(1_025) }, 'message group'],
      [{ topic: 'note', date: 1 }, '"date"'],
    ] as const) {
      const { status, body } = await post(EVENTS, refused);
      expect([status, body], JSON.stringify(refused).slice(0, 99)).toEqual([
        400,
        { error: expect.stringContaining(said) },
      ]);
    }
  });

  test('a large event is taken, one that is too large is refused', async () => {
    expect((await post(EVENTS, { topic: 'note', data: 'x'.repeat(9 * MB) })).status).toBe(202);
    await noted(9 * MB);
    expect(await post(EVENTS, { topic: 'note', data: 'x'.repeat(10 * MB) })).toMatchObject({ status: 413 });
  });

  test('POST /emit as in Motia 0.17, for whom the admin API is open, unless a step owns the path', async () => {
    const event = { topic: 'note', data: { n: 6 } };
    expect(await post('/emit', event)).toEqual({ status: 200, body: { success: true, emitted: event } });
    await noted({ n: 6 });
    expect((await post('/emit', {})).status).toBe(400);
    expect((await post('/emit', event, { origin: 'https://evil.example.com' })).status).toBe(403);
    expect((await send(`${cli.url}/emit`)).status).toBe(404);
    await project.write('src/emit.step.ts', owner['src/emit.step.ts']);
    await waitFor(async () => (await post('/emit', event)).status === 201);

    const bare = await createProject({ files: { 'package.json': '{ "name": "outside", "type": "module" }' } });
    const gateway = await startCli('gateway', bare, {
      env: { NATS_URL: server.url, MOTIA_ADMIN_TOKEN: 'secret' },
    });
    const events = (authorization: string) =>
      gateway.fetch(EVENTS, { method: 'POST', body: '{"topic":"note","data":7}', headers: { authorization } });
    expect([(await events('Bearer wrong')).status, (await events('Bearer secret')).status]).toEqual([401, 202]);
    await noted(7);
    await gateway.stop();
  });

  test('by any NATS client, in the words of docs/protocol.md', async () => {
    const nc = await connect({ servers: server.url });
    const js = jetstream(nc);
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const publish = async (subject: string, body: string, entries: Record<string, string> = {}) => {
      const all = headers();
      for (const [name, value] of Object.entries(entries)) all.set(name, value);
      await js.publish(subject, body, { headers: all });
    };
    await publish('outside.ev._.order=3Amade', '{"plain":1}');
    await publish('outside.ev._.note', '{"plain":2}', {
      'Nats-Msg-Id': 'p2',
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    });
    await publish('outside.ev._.note', '{"plain":"twice"}', { 'Nats-Msg-Id': 'p2' });
    await publish('outside.grouped.Zo=C3=AB.note', '{"plain":3}', { 'Motia-Group': 'Zo%C3%AB' });
    await publish('outside.sched.ev.p4', '{"plain":4}', {
      'Motia-Event-Id': 'p4',
      'Motia-Emitted-At': String(Date.now()),
      'Nats-Schedule': `@at ${new Date(Date.now() + 1_000).toISOString()}`,
      'Nats-Schedule-Target': 'outside.fire.ev._.note',
      'Nats-Schedule-TTL': '168h',
      'Nats-Expected-Last-Subject-Sequence': '0',
    });
    for (const plain of [1, 2, 3, 4]) await noted({ plain });
    expect(await noted({ plain: 2 })).toMatchObject({ traceId: trace });
    expect(cli.logs((record) => JSON.stringify(record.input)?.includes('twice') === true)).toEqual([]);
    await nc.close();
  });
});
