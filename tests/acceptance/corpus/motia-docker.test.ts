/** Made for 0.5: an API that emits, an event step that keeps state under the trace, and two that find it there: one is Python. */
import { expect } from 'vitest';
import { testPython } from '../../helpers/python.ts';
import { call, corpusTest } from './corpus.ts';

// Its Python environment is made as for a user, with packages from the network or pip's cache.
const options = { packages: { zod: 'zod3' }, writes: ['python_modules'], readyWithin: 100_000 };
const hasPython = (await testPython()) !== undefined;

corpusTest('motia-docker', options, async ({ cli }) => {
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
  if (!hasPython) return;
  expect(await cli.waitForLog({ traceId, step: 'MyPythonStep', value: 'Welcome to motia!' })).toMatchObject({
    msg: 'State change detected using Python: ',
    key: 'test',
    trace_id: traceId,
  });
  expect(cli.logs({ level: 'error' })).toEqual([]);
});
