/** What a client is told when a handler fails, takes too long or never starts. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { type HttpResponse, openSocket, send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const REFUSAL_TEXT = /^\{"error":"Internal server error","errorId":"[0-9a-f]{16}"\}$/;
const REFUSAL = { error: 'Internal server error', errorId: expect.stringMatching(/^[0-9a-f]{16}$/) };

let cli: RunningCli;
beforeAll(async () => {
  cli = await startCli('dev', await createProject({ copyOf: fixtureApp('http') }));
});

describe('a handler that throws', () => {
  test('1,000 odd things: the client gets an id, and the log has the reason under it', async () => {
    const answers = await inBatches(1_000, 20, (n) => send(`${cli.url}/throw?n=${n}`));
    const isRefusal = ({ status, headers, text }: HttpResponse) =>
      status === 500 && headers['content-type'] === 'application/json; charset=utf-8' && REFUSAL_TEXT.test(text);
    const others = answers.flatMap((answer, n) =>
      isRefusal(answer) ? [] : [{ n, status: answer.status, text: answer.text }],
    );
    expect(others).toEqual([]);
    const usual = answers[0]?.headers;
    for (const { headers } of answers) expect(Object.keys(headers)).toEqual(Object.keys(usual ?? {}));
    const ids = new Set(answers.map(({ json }) => json().errorId as string));
    expect(ids.size).toBe(1_000);
    const logged = () => cli.logs({ action: 'request_failed' }).map(({ errorId }) => errorId as string);
    await waitFor(() => logged().length >= 1_000, { what: 'the log records' });
    expect(new Set(logged())).toEqual(ids);
  });

  test('the log tells message, stack, step and trace', async () => {
    const { errorId } = (await send(`${cli.url}/throw?n=0`)).json();
    const record = await cli.waitForLog({ errorId });
    expect(record).toMatchObject({
      step: 'Throw',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      err: { name: 'Error', message: 'SECRET 0', stack: expect.stringContaining('odd-throws.ts') },
    });
  });

  test('in a middleware it is the same', async () => {
    const { status, json } = await send(`${cli.url}/throw?n=0&where=middleware`);
    expect({ status, body: json() }).toEqual({ status: 500, body: REFUSAL });
  });

  test('the next request is served as if nothing had happened', async () => {
    expect((await send(`${cli.url}/echo/1`)).status).toBe(200);
    expect(cli.logs({ action: 'worker_ended' })).toEqual([]);
  });
});

describe('a handler that takes too long', () => {
  test.each(['GET', 'POST'])('%s: 504 once the deadline is over, and its signal aborts', async (method) => {
    const tag = `late ${method}`;
    const began = Date.now();
    const { status, json, headers } = await send(`${cli.url}/slow?ms=20000&tag=${encodeURIComponent(tag)}`, { method });
    expect({ status, body: json() }).toEqual({ status: 504, body: { error: 'The step did not answer in time' } });
    expect(headers).not.toHaveProperty('retry-after');
    expect(Date.now() - began).toBeGreaterThanOrEqual(2_000);
    expect(Date.now() - began).toBeLessThan(20_000); // for which the handler itself goes on
    await cli.waitForLog({ msg: 'slow aborted', tag });
  });

  test('cannot change anything after that', async () => {
    expect((await send(`${cli.url}/oversleep`, { method: 'POST' })).status).toBe(504);
    await cli.waitForLog({ msg: 'refused', code: 'RUN_OVER' });
  });

  test('one that is quick enough is not cut off', async () => {
    const { status, json } = await send(`${cli.url}/slow?ms=1200&tag=ok`, { method: 'POST' });
    expect({ status, body: json() }).toEqual({ status: 200, body: { tag: 'ok', aborted: false } });
  });
});

test.each(['GET', 'POST'])('a client that hangs up aborts the signal (%s)', async (method) => {
  const tag = `gone-${method}`;
  const head = `${method} /slow?ms=1500&tag=${tag} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`;
  const socket = await openSocket(cli.url, head);
  await cli.waitForLog({ msg: 'slow started', tag });
  socket.destroy();
  await cli.waitForLog({ msg: 'slow aborted', tag }, 1_400);
});

describe('a call that no worker takes', () => {
  test('503 with Retry-After; served again when a worker is back', async () => {
    await using broker = await startNatsServer();
    const config = 'export default { http: { timeout: 8 } };';
    const project = await createProject({ copyOf: fixtureApp('http'), files: { 'motia.config.ts': config } });
    const env = { NATS_URL: broker.url };
    const worker = await startCli('worker', project, { env });
    const gateway = await startCli('gateway', project, { env });
    expect((await send(`${gateway.url}/echo/1`)).status).toBe(200);

    expect(await worker.stop()).toBe(0);
    const began = Date.now();
    const answers = await Promise.all(['GET', 'POST'].map((method) => send(`${gateway.url}/echo/1`, { method })));
    for (const { status, headers, json } of answers) {
      expect({ status, retryAfter: headers['retry-after'], body: json() }).toEqual({
        status: 503,
        retryAfter: '1',
        body: { error: 'No worker took the call in time' },
      });
    }
    expect(Date.now() - began).toBeLessThan(8_000); // half the deadline: the other half is for the run

    await using back = await startCli('worker', project, { env });
    expect((await send(`${gateway.url}/echo/1`, { method: 'POST' })).status).toBe(200);
    // Nobody waits for the calls given up before, so they are not had now.
    expect(back.logs({ action: 'request_failed' })).toEqual([]);
    expect(await gateway.stop()).toBe(0);
  });

  test('a call made a moment before the worker is back waits for it', async () => {
    await using broker = await startNatsServer();
    const project = await createProject({ copyOf: fixtureApp('http') });
    await project.remove('motia.config.ts'); // a deadline of 30 s
    const env = { NATS_URL: broker.url };
    const worker = await startCli('worker', project, { env });
    const gateway = await startCli('gateway', project, { env });
    await worker.stop();
    const answer = send(`${gateway.url}/echo/1`, { method: 'POST' });
    await startCli('worker', project, { env });
    expect((await answer).status).toBe(200);
  });
});

/** Calls `work` with 0 to `count - 1`, `size` at a time. */
async function inBatches<T>(count: number, size: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < count; from += size) {
    const numbers = Array.from({ length: Math.min(size, count - from) }, (_, index) => from + index);
    results.push(...(await Promise.all(numbers.map(work))));
  }
  return results;
}
