import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describe, expect, test } from 'vitest';
import { encodeResponse, InvalidResponse } from '../../../../worker/http/response.ts';
import { seeded } from './random.ts';

const JSON_TYPE: [string, string] = ['content-type', 'application/json; charset=utf-8'];
const HTML_TYPE: [string, string] = ['content-type', 'text/html; charset=utf-8'];
const BYTES_TYPE: [string, string] = ['content-type', 'application/octet-stream'];

describe('body', () => {
  const buffer = Buffer.from([0, 255]);
  const bytes = new Uint8Array([1, 2]);

  test.each([
    ['an object', { a: 1 }, '{"a":1}', JSON_TYPE],
    ['an array', [1, undefined], '[1,null]', JSON_TYPE],
    ['a number', 0, '0', JSON_TYPE],
    ['null', null, 'null', JSON_TYPE],
    ['false', false, 'false', JSON_TYPE],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"', JSON_TYPE],
    ['text', '<p>', '<p>', HTML_TYPE],
    ['empty text', '', '', HTML_TYPE],
    ['a buffer', buffer, buffer, BYTES_TYPE],
    ['bytes', bytes, bytes, BYTES_TYPE],
    ['a buffer from JSON', JSON.parse(JSON.stringify(buffer)), buffer, BYTES_TYPE],
    [
      'an object that only looks like one',
      { type: 'Buffer', data: [256] },
      '{"type":"Buffer","data":[256]}',
      JSON_TYPE,
    ],
    ['another one', { type: 'Buffer', data: ['1'] }, '{"type":"Buffer","data":["1"]}', JSON_TYPE],
  ])('%s', (_what, body, expected, type) => {
    expect(encodeResponse({ status: 200, body })).toEqual({ status: 200, headers: [type], body: expected });
  });

  test('undefined is empty and has no type', () => {
    expect(encodeResponse({ status: 200 })).toEqual({ status: 200, headers: [], body: '' });
  });

  test.each([204, 205, 304])('%d has no body', (status) => {
    const response = { status, headers: { 'content-type': 'text/plain', etag: '"1"' }, body: 'x' };
    expect(encodeResponse(response)).toEqual({ status, headers: [['etag', '"1"']], body: '' });
  });

  test.each([
    ['a cycle', Object.assign([], { toJSON: () => cycle }), /JSON.*circular/i],
    ['a bigint', { id: 1n }, /JSON.*BigInt/],
    ['a toJSON that throws', { toJSON: () => fail('mine') }, /JSON.*mine/],
    ['a toJSON that throws nonsense', { toJSON: () => fail(Object.create(null)) }, /JSON/],
    ['a function', () => 1, /JSON.*function/],
    ['a symbol', Symbol('s'), /JSON.*symbol/],
  ])('%s is refused', (_what, body, message) => {
    expect(() => encodeResponse({ status: 200, body })).toThrow(InvalidResponse);
    expect(() => encodeResponse({ status: 200, body })).toThrow(message);
  });
});

describe('status', () => {
  test.each([200, 404, 599])('%d', (status) => {
    expect(encodeResponse({ status }).status).toBe(status);
  });

  test.each([undefined, null, '200', 0, 100, 101, 199, 600, 200.5, Number.NaN, 200n])('%s is refused', (status) => {
    expect(() => encodeResponse({ status })).toThrow(InvalidResponse);
  });

  test.each([undefined, null, 'ok', 200, () => ({ status: 200 }), [200]])('%s is not a response', (value) => {
    expect(() => encodeResponse(value)).toThrow(InvalidResponse);
  });
});

describe('headers', () => {
  const headersOf = (headers: unknown) => encodeResponse({ status: 200, headers }).headers;

  test('names are lower-cased, arrays repeat, scalars become text, undefined is left out', () => {
    const headers = { 'Set-Cookie': ['a=1', 'b=2'], 'X-Count': 3, 'X-On': true, 'X-None': undefined, 'X-Empty': [] };
    expect(headersOf(headers)).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-count', '3'],
      ['x-on', 'true'],
    ]);
  });

  test('of one name in several spellings the last wins', () => {
    expect(headersOf({ 'X-A': '1', 'x-a': '2' })).toEqual([['x-a', '2']]);
  });

  test('headers of the connection are dropped', () => {
    const headers = {
      Connection: 'close',
      'Transfer-Encoding': 'chunked',
      'keep-alive': '1',
      'Content-Length': 7,
      te: '',
    };
    expect(headersOf({ ...headers, upgrade: 'h2c', etag: 'x' })).toEqual([['etag', 'x']]);
  });

  test.each([
    ['text/plain', 'x', 'text/plain; charset=utf-8'],
    ['text/plain; charset=iso-8859-1; format=flowed', 'x', 'text/plain; format=flowed; charset=utf-8'],
    ['application/problem+json', {}, 'application/problem+json; charset=utf-8'],
    ['text/plain; charset=koi8-r', Buffer.from('x'), 'text/plain; charset=koi8-r'],
    ['image/png', Buffer.from('x'), 'image/png'],
  ])('content type %s of the handler', (type, body, expected) => {
    const response = encodeResponse({ status: 200, headers: { 'Content-Type': type }, body });
    expect(response.headers).toEqual([['content-type', expected]]);
  });

  test.each([
    ['a line break', { 'x-a': 'b\r\nset-cookie: c=1' }],
    ['a line break in an array', { 'x-a': ['b', 'c\n'] }],
    ['a zero byte', { 'x-a': 'b\0' }],
    ['text beyond latin1', { 'x-a': '€' }],
    ['a line break in a name', { 'x-a\r\nb': '1' }],
    ['a space in a name', { 'x a': '1' }],
    ['a colon in a name', { 'x:': '1' }],
    ['a name beyond ASCII', { 'x-é': '1' }],
    ['an empty name', { '': '1' }],
    ['null', { 'x-a': null }],
    ['an object', { 'x-a': {} }],
    ['a nested array', { 'x-a': [['b']] }],
    ['a list', [['x-a', '1']]],
    ['a Headers object', new Headers({ 'x-a': '1' })],
    ['text', 'x-a: 1'],
  ])('%s is refused', (_what, headers) => {
    expect(() => headersOf(headers)).toThrow(InvalidResponse);
  });
});

test('whatever is returned, the answer is a response that HTTP can carry or an InvalidResponse', () => {
  for (let seed = 0; seed < 6000; seed++) {
    const value = anyResponse(seed);
    let response: ReturnType<typeof encodeResponse>;
    try {
      response = encodeResponse(value);
    } catch (error) {
      expect(error, `seed ${seed}`).toBeInstanceOf(InvalidResponse);
      continue;
    }
    expect(typeof response.body === 'string' || response.body instanceof Uint8Array, `seed ${seed}`).toBe(true);
    for (const [name, text] of response.headers) {
      validateHeaderName(name);
      validateHeaderValue(name, text);
      expect(name).toBe(name.toLowerCase());
    }
  }
});

function anyResponse(seed: number): unknown {
  const random = seeded(seed);
  const characters = ['a', 'B', '-', ' ', ':', '\r\n', '\n', '\t', '\0', 'é', '€', '\ud800', '_', '/', '1'];
  const anything = (depth: number): unknown =>
    random.pick<() => unknown>([
      () => undefined,
      () => null,
      () => random.text(characters, 5),
      () => random.int(700),
      () => 5n,
      () => cycle,
      () => Symbol('s'),
      () => random.bytes(5),
      () => ({ type: 'Buffer', data: [random.int(300)] }),
      () => ({ toJSON: () => fail(anything(5)) }),
      () => new Proxy({}, { get: () => fail('get'), ownKeys: () => fail('keys') }),
      () => (depth > 3 ? 1 : [anything(depth + 1), anything(depth + 1)]),
      () => (depth > 3 ? 1 : { [random.text(characters, 4)]: anything(depth + 1) }),
    ])();
  const headers = () => Object.fromEntries([0, 1].map(() => [random.text(characters, 4), anything(3)]));
  if (random.int(10) === 0) return anything(0);
  return {
    status: random.pick([200, 204, 500, anything(3)]),
    headers: random.pick([headers, anything])(2),
    body: anything(0),
  };
}

const cycle: unknown[] = [];
cycle.push(cycle);

function fail(thrown: unknown): never {
  throw thrown;
}
