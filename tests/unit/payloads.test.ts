/** Payloads of requests and answers as spans bear them. What is the same in all languages is in the golden file. */
import { expect, test } from 'vitest';
import type { TelemetryEnvironment } from '../../shared/config.ts';
import { createPayloads, Payloads } from '../../shared/payloads.ts';
import { REDACTED, Redaction } from '../../shared/redaction.ts';

const payloads = new Payloads(new Redaction());
const request = (contentType: string, body: string | Uint8Array, url = '/a') =>
  payloads.request({ method: 'POST', url, headers: [['content-type', contentType]], body: Buffer.from(body) });

test('credentials are replaced in headers, the query and forms', () => {
  const headers = { authorization: 'Bearer x', cookie: 'a=1', 'x-api-key': 'k', accept: '*/*' };
  expect(
    payloads.request({
      method: 'GET',
      url: '/a?b=1&token=x&c',
      headers: Object.entries(headers),
      body: Buffer.alloc(0),
    }),
  ).toEqual({
    ...{
      method: 'GET',
      path: '/a',
      query: `b=1&token=${REDACTED}&c`,
      redacted: true,
      contentType: '',
      bytes: 0,
      text: '',
    },
    headers: { authorization: REDACTED, cookie: REDACTED, 'x-api-key': REDACTED, accept: '*/*' },
  });
  expect(request('application/x-www-form-urlencoded', 'name=n&pass%77ord=x')).toMatchObject({
    text: `name=n&pass%77ord=${REDACTED}`,
    redacted: true,
  });
  const answer = payloads.response({
    status: 200,
    headers: [
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ],
    body: undefined,
  });
  expect(answer).toMatchObject({ status: 200, headers: { 'set-cookie': `${REDACTED}, ${REDACTED}` }, truncated: true });
});

test('what is no text, is too large, or may have secrets that cannot be found is left out', () => {
  expect(request('Text/Plain; charset=utf-8', 'hello')).toMatchObject({ contentType: 'text/plain', text: 'hello' });
  expect(request('text/html', 'x'.repeat(20_000)).text).toHaveLength(16_384);
  for (const [type, body] of [
    ['image/png', 'x'],
    ['', 'x'],
    ['text/plain', Buffer.from([0xff, 0xfe])],
    ['application/json', '{"password":'],
    ['application/problem+json', `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
    ['application/json', `"${'x'.repeat(1024 ** 2)}"`],
  ] as const) {
    const told = request(type, body);
    expect([told.text, told.truncated, told.bytes], type).toEqual([undefined, true, Buffer.byteLength(body)]);
  }
});

test('they are kept where that is wanted, and what is told is stored', () => {
  const environment = { stored: true, disabled: false, payloads: true } as TelemetryEnvironment;
  expect(createPayloads(undefined, environment)).toBeDefined();
  expect(createPayloads({ payloads: false }, environment)).toBeUndefined();
  expect(createPayloads({}, { ...environment, payloads: false })).toBeUndefined();
  expect(createPayloads({ payloads: true }, { ...environment, payloads: false })).toBeDefined();
  expect(createPayloads({}, { ...environment, stored: false })).toBeUndefined();
});
