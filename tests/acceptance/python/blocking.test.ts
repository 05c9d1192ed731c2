/** Handlers that hold up their thread, their process or the interpreter lock: nobody else notices. */
import { expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';

const api = (name: string, handler: string, head = '') => `${head}
config = {"type": "api", "name": "${name}", "method": "GET", "path": "/${name}", "emits": ["${name}"]}
${handler}
`;
const event = (name: string, handler: string, infrastructure = '{}') => `import asyncio, os, re, time
config = {"type": "event", "name": "${name}", "subscribes": ["${name}"], "emits": [], "infrastructure": ${infrastructure}}
${handler}
`;
const emits = (name: string) =>
  api(
    `emit-${name}`,
    `async def handler(req, context):
    await context.emit({"topic": "${name}", "data": {}})
    return {"status": 200, "body": {"traceId": context.trace_id}}`,
  ).replace(`"emits": ["emit-${name}"]`, `"emits": ["${name}"]`);

/** A regular expression that holds the interpreter lock for some seconds, or more. */
const holdsTheLock = (length: number) => `re.match(r"(a+)+$", "a" * ${length} + "b")`;

const files = {
  'package.json': '{}',
  'steps/quick_step.py': api('quick', 'async def handler(req, context):\n    return {"status": 200, "body": "quick"}'),
  'steps/sleeps_step.py': api(
    'sleeps',
    `def handler(req, context):
    while not os.path.exists("awake"):
        time.sleep(0.1)
    return {"status": 200, "body": context.state.set("slept", "a", 1)}`,
    'import os, time',
  ),
  'steps/locks_step.py': api(
    'locks',
    `async def handler(req, context):\n    ${holdsTheLock(26)}\n    return {"status": 200, "body": "done"}`,
    'import re',
  ),
  'steps/exits_step.py': api('exits', 'def handler(req, context):\n    sys.exit(3)', 'import sys'),
  'steps/kills_step.py': api('kills', 'async def handler(req, context):\n    os._exit(3)', 'import os'),
  'steps/emit_forever_step.py': emits('forever'),
  'steps/emit_neighbour_step.py': emits('neighbour'),
  'steps/forever_step.py': event(
    'forever',
    `async def handler(input, context):\n    ${holdsTheLock(60)}`,
    '{"handler": {"timeout": 1}, "queue": {"maxRetries": 0}}',
  ),
  'steps/neighbour_step.py': event(
    'neighbour',
    'async def handler(input, context):\n    context.logger.info("begins", {"attempt": context.attempt})\n' +
      '    await asyncio.sleep(3)\n    context.logger.info("ends", {"attempt": context.attempt})',
  ),
};

async function start(env: Record<string, string>): Promise<RunningCli> {
  return startCli('start', await createProject({ files }), { env });
}

async function call(cli: RunningCli, path: string): Promise<{ status: number; text: string }> {
  const answer = await cli.fetch(path);
  return { status: answer.status, text: await answer.text() };
}

test('forty plain functions that sleep, and one that holds the interpreter lock, stall nobody', async (context) => {
  const project = await createProject({ files });
  await using cli = await startCli('start', project, { env: await pythonEnvironment(context) });
  const quick = async () => expect((await call(cli, '/quick')).status).toBe(200);
  const sleeping = Array.from({ length: 40 }, () => call(cli, '/sleeps'));
  for (let i = 0; i < 20; i++) await quick();
  await project.write('awake', '');
  for (const { status, text } of await Promise.all(sleeping)) expect([status, text]).toEqual([200, '1']);

  let locks = true;
  const locking = call(cli, '/locks').finally(() => {
    locks = false;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (let i = 0; i < 3; i++) await quick();
  expect(locks, 'it goes on all the time').toBe(true);
  expect((await locking).text).toBe('done');
});

test('sys.exit and os._exit end their own run only', async (context) => {
  await using cli = await start(await pythonEnvironment(context));
  const [exits, kills, quick] = await Promise.all([
    call(cli, '/exits'),
    call(cli, '/kills'),
    call(cli, '/quick'), // may be cut off with its process: it is had again, since GET is safe
  ]);
  expect([exits.status, kills.status, quick.status]).toEqual([500, 500, 200]);
  for (const { text } of [exits, kills])
    expect(JSON.parse(text)).toEqual({ error: 'Internal server error', errorId: expect.stringMatching(/^[0-9a-f]+$/) });
  expect((await call(cli, '/quick')).text).toBe('quick');
});

test('a timeout ends the process of a handler that computes, and its neighbours lose no attempt', async (context) => {
  await using cli = await start(await pythonEnvironment(context));
  await cli.fetch('/emit-neighbour');
  await cli.waitForLog({ step: 'neighbour', msg: 'begins' });
  await cli.fetch('/emit-forever');
  const dead = await cli.waitForLog({ action: 'event_dead', step: 'forever' });
  expect(dead.err).toMatchObject({ code: 'RUN_TIMEOUT' });
  const end = await cli.waitForLog({ step: 'neighbour', msg: 'ends' });
  expect(end.attempt).toBe(1);
  expect(cli.logs({ step: 'neighbour', msg: 'begins' }).map(({ attempt }) => attempt)).toEqual([1, 1]);
});
