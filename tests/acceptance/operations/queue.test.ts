/** `motia queue` and the admin API on a running project: what waits, why, pause and resume. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const files = {
  'package.json': '{ "name": "queues", "type": "module" }',
  'src/note.step.ts': `
    export const config = { type: 'event', name: 'Note', subscribes: ['note', 'a/b'], emits: [] };
    export const handler = async (input: any, { logger }: any) => logger.info('noted', { n: input.n });`,
  'src/fail.step.ts': `
    export const config = { type: 'event', name: 'Fail', subscribes: ['fail'], emits: [],
      infrastructure: { queue: { backoff: { initial: 300, max: 300 } } } };
    export const handler = async () => { throw new Error('not now'); };`,
};

interface Queue {
  subscription: string;
  step: string;
  topic: string;
  waiting: number;
}

describe('operating queues', () => {
  let project: Project;
  let cli: RunningCli;
  beforeAll(async () => {
    project = await createProject({ files });
    cli = await startCli('dev', project);
  });
  afterAll(() => cli.stop());

  const run = async (command: 'queue' | 'emit', ...args: string[]) => {
    const ran = await startCli(command, project, { args, ready: false });
    return { code: await ran.exited, output: ran.output() };
  };
  const admin = async (path: string, method = 'GET', body?: string) => {
    const response = await send(`${cli.url}/__motia/api/v1${path}`, {
      method,
      headers: { 'x-motia-request': '1' },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, body: response.body.length > 0 ? response.json() : undefined };
  };
  const emit = async (topic: string, data: object, more: object = {}) => {
    const { body } = await admin('/events', 'POST', JSON.stringify({ topic, data, ...more }));
    return (body as { eventId: string }).eventId;
  };

  test('a paused step keeps its events while everything is started again, and goes on when it is resumed', async () => {
    expect(await run('queue', 'pause', 'Note', '--topic', 'note')).toEqual({
      code: 0,
      output: 'Note=_note is paused\n',
    });
    const eventId = await emit('note', { n: 1 });
    await emit('a/b', { n: 2 });
    await cli.waitForLog({ n: 2 }); // the other topic is not paused
    expect(await run('queue', 'show', eventId)).toEqual({ code: 0, output: 'Note: paused\n' });
    expect(await cli.stop()).toBe(0);
    cli = await startCli('dev', project);
    const listed = await run('queue');
    expect(listed.output).toMatch(/^STEP +TOPIC +WAITING +IN FLIGHT +LATER +SCHEDULED +OLDEST +DEAD +WHY\n/);
    expect(listed.output).toMatch(/\nNote +note +1 +0 +0 +0 +\S+Z +0 +paused\n/);
    expect(cli.logs({ n: 1 })).toEqual([]);
    expect((await run('queue', 'resume', 'Note')).output).toBe('Note=_note goes on\nNote=_a=2Fb goes on\n');
    await cli.waitForLog({ n: 1 });
    expect((await run('queue', 'show', eventId)).output).toBe(
      `No event ${eventId} waits: it has been handled, or was never there\n`,
    );
  });

  test('an event is followed from its schedule to its wait for the next attempt', async () => {
    const eventId = await emit('fail', { n: 3 }, { delay: 2 });
    expect(await admin(`/events/${eventId}`)).toMatchObject({
      status: 200,
      body: { eventId, cut: [], places: [{ topic: 'fail', state: 'scheduled' }] },
    });
    const { body } = await waitFor(async () => {
      const found = await admin(`/events/${eventId}`);
      return JSON.stringify(found.body).includes('backoff') ? found : undefined;
    });
    expect(body).toMatchObject({ places: [{ step: 'Fail', topic: 'fail', state: 'backoff', attempt: 2 }] });
    expect((await run('queue', 'show', eventId)).output).toMatch(/^Fail: waits until \S+Z for attempt 2\n$/);
    const shown = await run('queue', 'show', 'Fail', '--json');
    expect(JSON.parse(shown.output)).toMatchObject([{ step: 'Fail', later: 1, waiting: 0 }]);
  });

  test('the admin API lists, shows, pauses and resumes', async () => {
    const { body } = await admin('/queues');
    const queues = body as Queue[];
    expect(queues.map(({ step, topic }) => `${step} ${topic}`)).toEqual(['Fail fail', 'Note note', 'Note a/b']);
    const path = `/queues/${queues[2]?.subscription}`;
    expect((await admin(`${path}/pause`, 'POST')).status).toBe(204);
    await emit('a/b', { n: 4 });
    await waitFor(async () => ((await admin(path)).body as Queue).waiting === 1);
    expect((await admin(path)).body).toMatchObject({ topic: 'a/b', paused: true, why: 'paused' });
    expect((await admin(`${path}/resume`, 'POST')).status).toBe(204);
    await cli.waitForLog({ n: 4 });
    for (const [wrong, method] of [
      ['/queues/nothing', 'GET'],
      ['/queues/nothing/pause', 'POST'],
      [`${path}/explode`, 'POST'],
    ] as const) {
      expect((await admin(wrong, method)).status).toBe(404);
    }
  });

  test('what is not there, or makes no sense, is told', async () => {
    expect(await run('queue', 'pause', 'Nobody')).toEqual({
      code: 1,
      output: 'there is no event step "Nobody": there are Fail, Note\n',
    });
    for (const args of [['pause'], ['show'], ['explode', 'Note']]) expect((await run('queue', ...args)).code).toBe(2);
  });
});
