/** Made for 0.5: an API that emits, an event step that keeps state under the trace, another one that finds it there. */
import { expect } from 'vitest';
import { call, corpusTest } from './corpus.ts';

corpusTest('motia-docker', { packages: { zod: 'zod3' } }, async ({ cli }) => {
  const { status, body } = await call(cli, 'POST', '/default', { message: 'hello' });
  expect({ status, body }).toEqual({
    status: 200,
    body: { traceId: expect.stringMatching(/^[0-9a-f]{32}$/), message: 'test-state topic emitted' },
  });
  const { traceId } = body;
  expect(await cli.waitForLog({ traceId, step: 'SetStateChange' })).toMatchObject({ input: { message: 'hello' } });
  expect(await cli.waitForLog({ traceId, step: 'CheckStateChange', value: 'Welcome to motia!' })).toMatchObject({
    msg: 'The provided value matches the state value 🏁',
    key: 'test',
  });
  expect(cli.logs({ level: 'error' })).toEqual([]);
  expect(cli.logs({ action: 'not_served_yet' })).toMatchObject([
    {
      level: 'warn',
      file: 'steps/MyPythonStep.step.py',
      msg: 'steps/MyPythonStep.step.py: Python steps are not served yet',
    },
  ]);
});
