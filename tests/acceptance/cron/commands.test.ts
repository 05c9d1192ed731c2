/** `motia cron` and the admin API: what they show and do, and whom they refuse. */
import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type CronCluster, startCronCluster } from './cluster.ts';

describe('in production', () => {
  const TOKEN = 'correct horse battery staple';
  let cluster: CronCluster;
  let gateway: RunningCli;
  let scheduler: RunningCli;
  beforeAll(async () => {
    cluster = await startCronCluster();
    [gateway, scheduler] = await Promise.all([
      cluster.start('gateway', { env: { MOTIA_ADMIN_TOKEN: TOKEN } }),
      cluster.start('scheduler'),
      cluster.start('worker', { env: { SLOW_MS: '10' } }),
    ]);
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const admin = async (path: string, { method = 'GET', authorization = `Bearer ${TOKEN}` } = {}) => {
    const response = await send(`${gateway.url}/__motia/api/v1${path}`, {
      method,
      headers: authorization === '' ? {} : { authorization },
    });
    return {
      status: response.status,
      headers: response.headers,
      body: response.body.length > 0 ? response.json() : undefined,
    };
  };
  const statusOf = async (step: string) =>
    ((await admin('/cron')).body as { step: string }[]).find((one) => one.step === step);

  test('the list tells each step, its schedule, its next tick and its last run', async () => {
    await waitFor(async () => (await cluster.facts('tick')).length >= 2);
    const { code, output } = await cluster.command('list');
    expect(code).toBe(0);
    const [head, slow, tick] = output
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(head).toEqual(['STEP', 'SCHEDULE', 'TIME ZONE', 'NEXT', 'LAST']);
    expect(slow).toEqual(['Slow', '@yearly', 'UTC', expect.stringMatching(/^\d{4}-01-01T00:00:00Z$/), '-']);
    expect(tick).toEqual(['Tick', '* * * * * *', 'UTC', expect.any(String), expect.stringMatching(/Z succeeded$/)]);

    const json = await cluster.command('list', '--json');
    const { status, body, headers } = await admin('/cron');
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    for (const list of [JSON.parse(json.output), body]) {
      expect(list).toEqual([
        {
          step: 'Slow',
          cron: '@yearly',
          timezone: 'UTC',
          paused: false,
          next: expect.stringMatching(/-01-01T00:00:00.000Z$/),
        },
        {
          step: 'Tick',
          cron: '* * * * * *',
          timezone: 'UTC',
          paused: false,
          next: expect.any(String),
          last: expect.objectContaining({ manual: false, tick: expect.stringMatching(/\.000Z$/) }),
        },
      ]);
    }
  });

  test.each(['command', 'admin API'])('a step is paused and resumed by %s', async (by) => {
    const act = async (action: string) => {
      if (by === 'command') expect((await cluster.command(action, 'Tick')).code).toBe(0);
      else expect((await admin(`/cron/Tick/${action}`, { method: 'POST' })).status).toBe(204);
    };
    await act('pause');
    await sleep(1_000);
    const paused = (await cluster.facts('tick')).length;
    await sleep(2_200);
    expect((await cluster.facts('tick')).length).toBe(paused);
    expect(await statusOf('Tick')).toMatchObject({ paused: true });
    expect((await cluster.command('list')).output).toMatch(/Tick .* paused/);
    await act('resume');
    await waitFor(async () => (await cluster.facts('tick')).length >= paused + 2);
    expect((await cluster.facts('tick')).length).toBeLessThan(paused + 5); // nothing is made up for
    expect(await statusOf('Tick')).toMatchObject({ paused: false });
  });

  test('a step runs by hand, by command and admin API, paused or not', async () => {
    await cluster.command('pause', 'Slow');
    expect(await cluster.command('trigger', 'Slow')).toEqual({ code: 0, output: 'Slow will run now\n' });
    await waitFor(async () => (await cluster.facts('slow ended')).length === 1);
    expect((await admin('/cron/Slow/trigger', { method: 'POST' })).status).toBe(202);
    await waitFor(async () => (await cluster.facts('slow ended')).length === 2);
    await waitFor(async () => {
      expect(await statusOf('Slow')).toMatchObject({ paused: true, last: { manual: true, outcome: 'succeeded' } });
      return true;
    });
    const traces = (await cluster.facts('slow started')).map(({ traceId }) => traceId);
    expect(new Set(traces).size).toBe(2);
  });

  test('an unknown step is told with the known ones', async () => {
    const error = 'there is no cron step "Nobody": there are Slow, Tick';
    for (const action of ['trigger', 'pause', 'resume']) {
      expect(await cluster.command(action, 'Nobody')).toEqual({ code: 1, output: `${error}\n` });
      expect(await admin(`/cron/Nobody/${action}`, { method: 'POST' })).toMatchObject({ status: 404, body: { error } });
    }
    expect((await cluster.command('trigger')).code).toBe(2);
    expect((await cluster.command('explode', 'Tick')).code).toBe(2);
  });

  test('without the token nothing is told or done, whatever the path', async () => {
    for (const authorization of ['', 'Bearer wrong', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`]) {
      for (const [method, path] of [
        ['GET', '/cron'],
        ['POST', '/cron/Slow/trigger'],
        ['POST', '/cron/Slow/pause'],
      ]) {
        const { status, headers, body } = await admin(path as string, { method, authorization });
        expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
        expect(body).toEqual({ error: 'The admin API needs the bearer token of MOTIA_ADMIN_TOKEN' });
      }
    }
  });

  test('paths and methods that there are not', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['GET', '/cron/Slow/trigger'],
      ['POST', '/cron'],
      ['POST', '/cron/Slow/explode'],
    ]) {
      expect(await admin(path as string, { method })).toMatchObject({ status: 404, body: { error: 'Not found' } });
    }
  });

  test('a gateway without the token has no admin API', async () => {
    const bare = await cluster.start('gateway');
    const [there, notThere] = await Promise.all([bare.fetch('/__motia/api/v1/cron'), bare.fetch('/no/such/path')]);
    expect([there.status, await there.json()]).toEqual([404, { error: 'Not found', path: '/__motia/api/v1/cron' }]);
    expect([notThere.status, await notThere.json()]).toEqual([404, { error: 'Not found', path: '/no/such/path' }]);
    await bare.stop();
  });

  test('SIGTERM of a scheduler: exit code 0, and the lease is free', async () => {
    expect(await scheduler.stop('SIGTERM')).toBe(0);
    scheduler = await cluster.start('scheduler');
    await scheduler.waitForLog({ action: 'leader' }, 2_500);
  });
});

describe('in dev', () => {
  let project: Project;
  let cli: RunningCli;
  const tick = (cron: string, word = 'tick') => `
export const config = { type: 'cron', name: 'Tick', cron: '${cron}', emits: [] };
export const handler = async ({ logger }) => logger.info('${word}');
`;
  beforeAll(async () => {
    project = await createProject({
      files: {
        'package.json': '{ "name": "dev-cron", "type": "module" }',
        'steps/tick.step.ts': tick('* * * * * *'),
        'steps/wrong.step.ts': tick('61 * * * *').replace('Tick', 'Wrong'),
        'steps/reserved.step.ts': `
export const config = { type: 'api', name: 'Reserved', method: 'GET', path: '/__motia/else', emits: [] };
export const handler = async () => ({ status: 200, body: { step: 'Reserved' } });
`,
        'steps/all.step.ts': `
export const config = { type: 'api', name: 'All', method: 'GET', path: '*', emits: [] };
export const handler = async () => ({ status: 200, body: { step: 'All' } });
`,
      },
    });
    cli = await startCli('dev', project);
  });

  test('schedules run, and a wrong one is told with its file', async () => {
    await cli.waitForLog({ msg: 'tick', step: 'Tick' });
    const told = await cli.waitForLog({ action: 'step_broken' });
    expect(told).toMatchObject({
      file: 'steps/wrong.step.ts',
      msg: 'steps/wrong.step.ts: invalid config: cron: Expected a minute from 0 to 59, and not "61"',
    });
  });

  test('an edited schedule counts at once', async () => {
    await project.write('steps/tick.step.ts', tick('*/2 * * * * *', 'every other second'));
    await waitFor(() => cli.logs({ msg: 'every other second' }).length >= 2);
    const at = cli.logs({ msg: 'every other second' }).map(({ time }) => Math.round(Date.parse(time) / 1_000));
    expect(at.slice(1).every((second) => second % 2 === 0)).toBe(true);
  });

  test('the command finds the broker of the folder, and only there', async () => {
    const list = await startCli('cron', project, { args: ['list'], ready: false });
    expect([await list.exited, list.output()]).toEqual([0, expect.stringContaining('*/2 * * * * *')]);
    const elsewhere = await startCli('cron', await createProject(), { args: ['list'], ready: false });
    expect(await elsewhere.exited).toBe(1);
    expect(elsewhere.output()).toContain('Nothing runs here');
  });

  test('the admin API is open to this machine, and to no page of another origin', async () => {
    const call = (headers: OutgoingHttpHeaders) => send(`${cli.url}/__motia/api/v1/cron`, { headers });
    const { status, json } = await call({});
    expect([status, json()]).toEqual([200, [expect.objectContaining({ step: 'Tick' })]]);
    for (const headers of [
      { host: 'evil.example.com' },
      { origin: 'https://evil.example.com' },
      { 'x-forwarded-for': '1.2.3.4' },
    ]) {
      const refused = await call(headers);
      expect(refused.status).toBe(403);
      expect(refused.json()).toEqual({ error: expect.any(String) });
      expect(refused.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('what is below /__motia/ is never a path of a step', async () => {
    await cli.waitForLog({ action: 'route_reserved', step: 'Reserved', file: 'steps/reserved.step.ts' });
    expect((await send(`${cli.url}/anything`)).json()).toEqual({ step: 'All' });
    for (const path of ['/__motia/', '/__motia/else', '/__motia/api/v1/else', '/__motia/api/v1/cron/x']) {
      expect((await send(cli.url + path)).status, path).toBe(404);
    }
  });
});
