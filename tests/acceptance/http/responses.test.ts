/** What a client gets of what a handler returns. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

let cli: RunningCli;
beforeAll(async () => {
  cli = await startCli('dev', await createProject({ copyOf: fixtureApp('http') }));
});

/** Has the handler return this. */
const answer = (instructions: object) =>
  send(`${cli.url}/answer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(instructions),
  });

const JSON_TYPE = 'application/json; charset=utf-8';

describe('bodies', () => {
  test.each<[what: string, body: unknown, type: string, text: string]>([
    ['an object', { a: ['é'] }, JSON_TYPE, '{"a":["é"]}'],
    ['a list', [1, null], JSON_TYPE, '[1,null]'],
    ['a number', 0, JSON_TYPE, '0'],
    ['a boolean', false, JSON_TYPE, 'false'],
    ['null', null, JSON_TYPE, 'null'],
    ['a text', '<p>é</p>', 'text/html; charset=utf-8', '<p>é</p>'],
    ['an empty text', '', 'text/html; charset=utf-8', ''],
  ])('%s', async (_what, body, type, text) => {
    const { status, headers, text: got } = await answer({ response: { status: 200, body } });
    expect({ status, type: headers['content-type'], text: got }).toEqual({ status: 200, type, text });
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
  });

  test.each<[bodyOf: string, type: string | undefined, bytes: Buffer]>([
    ['buffer', 'application/octet-stream', Buffer.from([0, 1, 2, 253, 254, 255])],
    ['typedArray', 'application/octet-stream', Buffer.from([7, 8, 9])],
    ['undefined', undefined, Buffer.alloc(0)],
    ['nan', JSON_TYPE, Buffer.from('null')],
    ['date', JSON_TYPE, Buffer.from('"1970-01-01T00:00:00.000Z"')],
    ['map', JSON_TYPE, Buffer.from('{}')],
  ])('%s', async (bodyOf, type, bytes) => {
    const { status, headers, body } = await answer({ response: { status: 200 }, bodyOf });
    expect({ status, type: headers['content-type'], body }).toEqual({ status: 200, type, body: bytes });
  });

  test('a buffer that has been through JSON', async () => {
    const { body } = await answer({ response: { status: 200, body: { type: 'Buffer', data: [1, 200] } } });
    expect(body).toEqual(Buffer.from([1, 200]));
  });
});

describe('status', () => {
  test.each([201, 299, 302, 404, 418, 500, 599])('%i passes', async (status) => {
    const { status: got, json } = await answer({ response: { status, body: { own: true } } });
    expect({ got, body: json() }).toEqual({ got: status, body: { own: true } });
  });

  test.each([204, 304])('%i has no body', async (status) => {
    const {
      status: got,
      text,
      headers,
    } = await answer({ response: { status, headers: { etag: '"1"' }, body: { a: 1 } } });
    expect({ got, text, etag: headers.etag }).toEqual({ got: status, text: '', etag: '"1"' });
    expect(headers).not.toHaveProperty('content-type');
  });
});

describe('headers', () => {
  test('lists are repeated, other values sent as text', async () => {
    const headers = {
      'Set-Cookie': ['a=1; Path=/', 'b=2'],
      'x-many': ['one', 'two'],
      'X-Number': 5,
      location: '/é'.normalize(),
    };
    const got = (await answer({ response: { status: 200, headers } })).headers;
    expect(got).toMatchObject({ 'set-cookie': ['a=1; Path=/', 'b=2'], 'x-many': 'one, two', 'x-number': '5' });
  });

  test('the content type of the handler wins', async () => {
    const { headers, text } = await answer({
      response: { status: 200, headers: { 'Content-Type': 'text/csv' }, body: 'a;é' },
    });
    expect({ type: headers['content-type'], text }).toEqual({ type: 'text/csv; charset=utf-8', text: 'a;é' });
  });

  test('those of the connection are ours', async () => {
    const headers = { 'content-length': '3', 'transfer-encoding': 'chunked', connection: 'upgrade', upgrade: 'x' };
    const { text, headers: got } = await answer({ response: { status: 200, headers, body: 'longer than three' } });
    expect({ text, length: got['content-length'] }).toEqual({ text: 'longer than three', length: '17' });
    expect(got).not.toHaveProperty('upgrade');
  });

  test('a CORS header of the handler replaces ours', async () => {
    const headers = { 'access-control-allow-origin': 'https://only.example' };
    expect((await answer({ response: { status: 200, headers } })).headers).toMatchObject(headers);
  });
});

describe('what is no response: 500 with an id to find the reason in the log', () => {
  test.each<[what: string, instructions: object, reason: RegExp]>([
    ['nothing', { all: 'undefined' }, /returned undefined/],
    ['null', { response: null }, /returned null/],
    ['a text', { response: 'text' }, /returned string/],
    ['no status', { response: { body: 1 } }, /needs a status/],
    ['status 99', { response: { status: 99 } }, /needs a status/],
    ['status 101', { response: { status: 101 } }, /needs a status/],
    ['status 1000', { response: { status: 1000 } }, /needs a status/],
    ['status 200.5', { response: { status: 200.5 } }, /needs a status/],
    ['status as text', { response: { status: '200' } }, /needs a status/],
    [
      'a line break in a header',
      { response: { status: 200, headers: { 'x-a': 'b\r\nset-cookie: evil=1' } } },
      /x-a holds characters/,
    ],
    ['a header name with a space', { response: { status: 200, headers: { 'x a': 'b' } } }, /Invalid header name/],
    [
      'a header name with a line break',
      { response: { status: 200, headers: { 'x\r\ny': 'b' } } },
      /Invalid header name/,
    ],
    ['a header beyond latin1', { response: { status: 200, headers: { 'x-a': '你' } } }, /x-a holds characters/],
    ['an object as a header', { response: { status: 200, headers: { 'x-a': {} } } }, /must be a string/],
    ['a big integer', { response: { status: 200 }, bodyOf: 'bigint' }, /cannot be written as JSON/],
    ['a cycle', { response: { status: 200 }, bodyOf: 'cycle' }, /cannot be written as JSON/],
    ['a function', { response: { status: 200 }, bodyOf: 'function' }, /cannot be written as JSON/],
    ['a symbol', { response: { status: 200 }, bodyOf: 'symbol' }, /cannot be written as JSON/],
  ])('%s', async (_what, instructions, reason) => {
    const { status, json, headers } = await answer(instructions);
    const { errorId } = json();
    expect({ status, body: json() }).toEqual({
      status: 500,
      body: { error: 'Internal server error', errorId: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(headers).not.toHaveProperty('set-cookie');
    const record = await cli.waitForLog({ errorId });
    expect(record).toMatchObject({ level: 'error', action: 'request_failed', step: 'Answer' });
    expect(record.msg).toMatch(reason);
  });
});
