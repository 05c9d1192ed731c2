/** What clients get of what handlers and middleware return. */
import { expect } from 'vitest';
import type { Case } from '../cases.ts';
import type { World } from '../world.ts';
import { shown } from './api.ts';

const MB = 1024 * 1024;
const JSON_TYPE = 'application/json; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';
const ERROR_ID = /^[0-9a-f]{16}$/;

/** Has the handler return this. */
const answer = ({ post }: World, response: object, body?: string) =>
  post('/answer', { response: { status: 200, ...response }, body });

export const answerCases: Case[] = [
  {
    name: 'bodies: JSON of every kind, text, bytes, none',
    async run(world) {
      const bodies: [body: object, named: string | undefined, type: string | undefined, bytes: string | Buffer][] = [
        [{ body: { a: ['é', '👩‍👩‍👧'] } }, undefined, JSON_TYPE, '{"a":["é","👩‍👩‍👧"]}'],
        [{ body: [1, null, 0.5] }, undefined, JSON_TYPE, '[1,null,0.5]'],
        [{ body: 0 }, undefined, JSON_TYPE, '0'],
        [{ body: false }, undefined, JSON_TYPE, 'false'],
        [{ body: null }, undefined, JSON_TYPE, 'null'],
        [{ body: {} }, undefined, JSON_TYPE, '{}'],
        [{ body: '<p>é</p>' }, undefined, HTML_TYPE, '<p>é</p>'],
        [{ body: '' }, undefined, HTML_TYPE, ''],
        [{}, undefined, undefined, ''],
        [{}, 'bytes', 'application/octet-stream', Buffer.from([0, 1, 2, 253, 254, 255])],
        [{ body: { type: 'Buffer', data: [1, 200] } }, undefined, 'application/octet-stream', Buffer.from([1, 200])],
        [{}, 'nan', JSON_TYPE, 'null'],
      ];
      for (const [response, named, type, bytes] of bodies) {
        const { status, headers, body } = await answer(world, response, named);
        const expected = { status: 200, type, body: Buffer.from(bytes as string) };
        expect({ status, type: headers['content-type'], body }, JSON.stringify(response)).toEqual(expected);
        expect(headers['content-length']).toBe(String(expected.body.length));
      }
    },
  },
  {
    name: 'any status from 200 to 599 passes; 204 and 304 have no body',
    async run(world) {
      for (const status of [201, 299, 302, 404, 418, 500, 599]) {
        const { status: got, json } = await answer(world, { status, body: { own: true } });
        expect([got, json()]).toEqual([status, { own: true }]);
      }
      for (const status of [204, 304]) {
        const {
          status: got,
          text,
          headers,
        } = await answer(world, { status, headers: { etag: '"1"' }, body: { a: 1 } });
        expect([got, text, headers.etag, headers['content-type']]).toEqual([status, '', '"1"', undefined]);
      }
    },
  },
  {
    name: 'headers: lists are repeated, those of the connection are dropped, a content type wins',
    async run(world) {
      const { headers, text } = await answer(world, {
        headers: {
          'Set-Cookie': ['a=1; Path=/', 'b=2'],
          'x-many': ['one', 'two'],
          'X-Number': 5,
          'x-latin': 'é',
          'Content-Type': 'text/csv',
          'content-length': '3',
          'transfer-encoding': 'chunked',
          upgrade: 'x',
        },
        body: 'a;é',
      });
      expect(headers).toMatchObject({
        'set-cookie': ['a=1; Path=/', 'b=2'],
        'x-many': 'one, two',
        'x-number': '5',
        'x-latin': 'é',
        'content-type': 'text/csv; charset=utf-8',
        'content-length': '4',
      });
      expect(headers).not.toHaveProperty('upgrade');
      expect(text).toBe('a;é');
    },
  },
  {
    name: 'no answer, or one that is none: 500 with an id that the log has, and nothing internal',
    async run(world) {
      const ok = { status: 200 };
      const wrong: [what: object, reason: RegExp][] = [
        [{ all: 'nothing' }, /returned (undefined|None)/],
        [{ response: null }, /returned (null|None)/],
        [{ response: 'text' }, /returned .*str/],
        [{ response: { body: 1 } }, /needs a status/],
        [{ response: { status: 99 } }, /needs a status/],
        [{ response: { status: 101 } }, /needs a status/],
        [{ response: { status: 1000 } }, /needs a status/],
        [{ response: { status: 200.5 } }, /needs a status/],
        [{ response: { status: '200' } }, /needs a status/],
        [{ response: { ...ok, headers: { 'x-a': 'b\r\nset-cookie: evil=1' } } }, /x-a holds characters/],
        [{ response: { ...ok, headers: { 'x a': 'b' } } }, /Invalid header name/],
        [{ response: { ...ok, headers: { 'x-a': '你' } } }, /x-a holds characters/],
        [{ response: { ...ok, headers: { 'x-a': {} } } }, /must be a string/],
        [{ response: ok, body: 'circle' }, /cannot be written as JSON/],
        [{ response: ok, body: 'function' }, /cannot be written as JSON/],
      ];
      for (const [instructions, reason] of wrong) {
        const { status, headers, json } = await world.post('/answer', instructions);
        const { errorId, ...rest } = json();
        expect([status, rest], JSON.stringify(instructions)).toEqual([500, { error: 'Internal server error' }]);
        expect(errorId).toMatch(ERROR_ID);
        expect(headers).not.toHaveProperty('set-cookie');
        const record = await world.worker.waitForLog({ errorId });
        expect(record).toMatchObject({ level: 'error', action: 'request_failed', step: 'Answer' });
        expect(record.msg).toMatch(reason);
      }
    },
  },
  {
    name: 'an answer of 8 MB, more than a message of the broker holds: bytes, text and JSON',
    async run({ call }) {
      const text = 'é'.repeat(4 * MB);
      const kinds: [kind: string, expected: Buffer][] = [
        ['bytes', Buffer.alloc(8 * MB, 'pattern!')],
        ['text', Buffer.from(text)],
        ['json', Buffer.from(JSON.stringify({ text }))],
      ];
      for (const [kind, expected] of kinds) {
        const { status, body } = await call(`/large/${kind}?bytes=${8 * MB}`);
        expect([status, shown(body)], kind).toEqual([200, shown(expected)]);
      }
    },
  },
  {
    name: 'middleware: the first is the outermost, and each sees what the others did to request, context and answer',
    async run({ post }) {
      const { status, headers, json } = await post('/wrapped', {});
      expect([status, json()]).toEqual([200, { order: ['catching', 'gate', 'handler'], user: 'Ann' }]);
      expect(headers['x-order']).toBe('catching,gate,handler');
    },
  },
  {
    name: 'middleware: one that does not call the next answers for it',
    async run({ post }) {
      const { status, headers, json } = await post('/wrapped', { gate: 'closed' });
      expect([status, json(), headers['x-order']]).toEqual([401, { error: 'closed' }, 'catching,gate']);
    },
  },
  {
    name: 'middleware: errors reach it as they were raised, and those that it does not know go on',
    async run({ post, worker }) {
      const known = await post('/wrapped', { fail: 'known' });
      expect([known.status, known.json()]).toEqual([418, { order: ['catching', 'gate', 'handler'] }]);
      const unknown = await post('/wrapped', { fail: 'unknown' });
      expect([unknown.status, unknown.text.includes('SECRET')]).toEqual([500, false]);
      const { errorId } = unknown.json();
      expect(await worker.waitForLog({ errorId })).toMatchObject({ err: { name: 'TypeError', message: 'SECRET' } });
    },
  },
  {
    name: 'middleware: one that returns nothing, or calls the next twice, fails the run',
    async run({ post, worker }) {
      for (const [gate, reason] of [
        ['silent', /returned no response/] as const,
        ['twice', /more than once/] as const,
      ]) {
        const { status, json } = await post('/wrapped', { gate });
        expect(status).toBe(500);
        expect((await worker.waitForLog({ errorId: json().errorId })).msg).toMatch(reason);
      }
    },
  },
  {
    name: 'a handler that is no coroutine has the same answers, state and events, and many of them wait at a time',
    async run({ post, newId, waitForNotes }) {
      const id = newId();
      const began = Date.now();
      const answers = await Promise.all(Array.from({ length: 16 }, () => post('/plain', { id, ms: 300 })));
      expect(Date.now() - began).toBeLessThan(16 * 300);
      for (const { status, json } of answers) expect([status, json().value]).toEqual([200, { id }]);
      const notes = await waitForNotes(id, 'noted', 16);
      expect(notes.map(({ traceId }) => traceId).sort()).toEqual(answers.map(({ json }) => json().traceId).sort());
    },
  },
];
