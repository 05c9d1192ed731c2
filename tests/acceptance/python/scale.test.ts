/** Several handler processes in one Python worker: they share the work, and a step's concurrency holds over all of them. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';

const files = {
  'package.json': '{}',
  'steps/where_step.py': `import os, time
config = {"type": "api", "name": "Where", "method": "GET", "path": "/where", "emits": []}

async def handler(req, context):
    time.sleep(0.05)  # holds up the process
    return {"status": 200, "body": os.getpid()}
`,
  'steps/emit_step.py': `config = {"type": "api", "name": "Emit", "method": "POST", "path": "/emit", "emits": ["one", "many"]}

async def handler(req, context):
    for topic in ("one", "many"):
        for n in range(20):
            await context.emit({"topic": topic, "data": {"n": n}})
    return {"status": 200, "body": {}}
`,
  ...Object.fromEntries(
    [
      ['one', 1],
      ['many', 4],
    ].map(([topic, concurrency]) => [
      `steps/${topic}_step.py`,
      `import asyncio, os, time
config = {
    "type": "event",
    "name": "${topic}",
    "subscribes": ["${topic}"],
    "emits": [],
    "infrastructure": {"queue": {"concurrency": ${concurrency}}},
}

async def handler(input, context):
    began = time.time()
    await asyncio.sleep(0.05)
    context.logger.info("ran", {"n": input["n"], "pid": os.getpid(), "began": began, "ended": time.time()})
`,
    ]),
  ),
};

interface Ran {
  n: number;
  pid: number;
  began: number;
  ended: number;
}

/** How many went on at the same time, at most. */
function mostAtATime(runs: Ran[]): number {
  return Math.max(
    ...runs.map(({ began }) => runs.filter((other) => other.began <= began && began < other.ended).length),
  );
}

test('three processes answer side by side, and no step runs more often at a time than it may', async (context) => {
  const env = { ...(await pythonEnvironment(context)), MOTIA_PROCESSES: '3' };
  await using cli = await startCli('start', await createProject({ files }), { env });
  const calls = Array.from({ length: 30 }, async () => (await cli.fetch('/where')).json());
  expect(new Set(await Promise.all(calls)).size).toBe(3);

  await cli.fetch('/emit', { method: 'POST' });
  const ran = (step: string) => cli.logs({ step, msg: 'ran' }) as unknown as Ran[];
  for (const step of ['one', 'many'] as const) {
    await cli.waitForLog(() => ran(step).length === 20);
    expect(new Set(ran(step).map(({ n }) => n)).size).toBe(20);
  }
  expect(mostAtATime(ran('one'))).toBe(1);
  expect(mostAtATime(ran('many'))).toBeLessThanOrEqual(4);
  expect(mostAtATime(ran('many'))).toBeGreaterThan(1);
  expect(new Set(ran('many').map(({ pid }) => pid)).size).toBeGreaterThan(1);
});
