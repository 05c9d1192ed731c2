/** What clients are told of handlers that fail, take too long, or are not waited for any more. */
import { expect } from 'vitest';
import { openSocket } from '../../../helpers/http.ts';
import type { Case } from '../cases.ts';
import { CALL_TIMEOUT_S } from '../world.ts';

const REFUSAL = /^\{"error":"Internal server error","errorId":"[0-9a-f]{16}"\}$/;
const HOWS = ['plain', 'caused', 'hidden', 'long', 'forged', 'response', 'code', 'circle', 'bare'];
const WHERES = ['handler', 'later', 'middleware'];

export const errorCases: Case[] = [
  {
    name: 'the deadline of a call: 504 when it is over, its handler is told, and whatever it does later is refused',
    async run({ call, newId, waitForNotes }) {
      const id = newId();
      const began = Date.now();
      const answers = await Promise.all([
        call(`/slow?ms=60000&id=${id}`),
        call(`/slow?ms=60000&id=${id}`, { method: 'POST' }),
        call(`/oversleep?id=${id}`, { method: 'POST' }),
      ]);
      const took = Date.now() - began;
      for (const { status, headers, json } of answers) {
        expect([status, json()]).toEqual([504, { error: 'The step did not answer in time' }]);
        expect(headers).not.toHaveProperty('retry-after');
      }
      expect(took).toBeGreaterThanOrEqual(CALL_TIMEOUT_S * 1_000);
      expect(took).toBeLessThan(2 * CALL_TIMEOUT_S * 1_000); // the handlers go on for 60 s
      await waitForNotes(id, 'GET aborted');
      await waitForNotes(id, 'POST aborted');
      expect(await waitForNotes(id, 'refused to store')).toMatchObject([{ code: 'RUN_OVER' }]);
      expect(await waitForNotes(id, 'refused to emit')).toMatchObject([{ code: 'RUN_OVER' }]);
    },
  },
  {
    name: 'whatever a handler raises: 500 with an id, nothing of it for the client, and the reason in the log',
    async run({ call, worker }) {
      const ways = WHERES.flatMap((where) => HOWS.map((how) => `/raise/${how}?where=${where}`));
      const answers = await Promise.all(ways.map((path) => call(path, { method: 'POST' })));
      const usual = Object.keys(answers[0]?.headers ?? {});
      for (const [n, { status, headers, text, json }] of answers.entries()) {
        expect(status, ways[n]).toBe(500);
        expect(text, ways[n]).toMatch(REFUSAL);
        expect(Object.keys(headers), ways[n]).toEqual(usual);
        const record = await worker.waitForLog({ errorId: json().errorId });
        expect(record, ways[n]).toMatchObject({ level: 'error', action: 'request_failed', step: 'Raise' });
        if (!ways[n]?.includes('hidden')) expect(JSON.stringify(record.err), ways[n]).toContain('SECRET');
      }
      expect(worker.logs({ level: 'fatal' })).toEqual([]);
      expect((await call('/quick')).status).toBe(200);
    },
  },
  {
    name: 'the log has name, message, stack and causes of an error, the step and the trace',
    async run({ call, worker }) {
      const { errorId } = (await call('/raise/caused', { method: 'POST' })).json();
      const record = await worker.waitForLog({ errorId });
      expect(record).toMatchObject({
        step: 'Raise',
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        err: { name: 'KnownError', message: 'SECRET caused' },
        msg: 'Raise failed: SECRET caused',
      });
      expect((record.err as { stack: string }).stack).toMatch(/raise[._]step/);
    },
  },
  {
    name: 'what JSON cannot say is not stored and not emitted, which fails the run or is caught',
    async run({ call, worker }) {
      for (const how of ['emitted', 'emitted-unawaited', 'stored']) {
        const { status, json } = await call(`/unstorable/${how}`, { method: 'POST' });
        expect(status, how).toBe(500);
        const { errorId } = json();
        expect(await worker.waitForLog({ errorId }), how).toMatchObject({ err: { code: 'INVALID_VALUE' } });
      }
      for (const how of ['emitted-caught', 'stored-caught']) {
        const { status, json } = await call(`/unstorable/${how}`, { method: 'POST' });
        expect([status, json()], how).toEqual([200, { code: 'INVALID_VALUE' }]);
      }
    },
  },
  {
    name: 'a client that hangs up: its handler is told',
    async run({ gateway, newId, waitForNotes }) {
      for (const method of ['GET', 'POST']) {
        const id = newId();
        const head = `${method} /slow?ms=60000&id=${id} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`;
        const socket = await openSocket(gateway.url, head);
        await waitForNotes(id, `${method} started`);
        socket.destroy();
        await waitForNotes(id, `${method} aborted`, 1, 2_000);
      }
    },
  },
];
