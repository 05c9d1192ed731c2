/** Slow, broken and hostile clients: each gets what it deserves, and everybody else is served all the same. */
import { once } from 'node:events';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { exchange, openSocket, send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

let cli: RunningCli;
beforeAll(async () => {
  cli = await startCli('dev', await createProject({ copyOf: fixtureApp('http') }));
});
afterEach(async () => {
  expect((await send(`${cli.url}/echo/1`)).status).toBe(200);
  expect(cli.logs({ action: 'gateway_error' })).toEqual([]);
});

const statusLine = (answer: string) => answer.split('\r\n', 1)[0];

test.each<[what: string, bytes: string, status: string]>([
  ['no HTTP at all', 'hello\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  ['binary', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'HTTP/1.1 400 Bad Request'],
  [
    '20 KB of headers',
    `GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`,
    'HTTP/1.1 431 Request Header Fields Too Large',
  ],
  [
    '20 KB of URL',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    'HTTP/1.1 431 Request Header Fields Too Large',
  ],
  ['a header without a name', 'GET / HTTP/1.1\r\nhost: x\r\n: a\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  ['a null byte in a header', 'GET / HTTP/1.1\r\nhost: x\r\nx-a: a\0b\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  ['a bare line feed in a header', 'GET / HTTP/1.1\r\nhost: x\r\nx-a: a\nb\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  [
    'two lengths',
    'POST /echo/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    'HTTP/1.1 400 Bad Request',
  ],
  [
    'a length and chunks',
    'POST /echo/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 400 Bad Request',
  ],
  [
    'a length that is no number',
    'POST /echo/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 1e3\r\n\r\n',
    'HTTP/1.1 400 Bad Request',
  ],
  [
    'a broken chunk',
    'POST /echo/1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    'HTTP/1.1 400 Bad Request',
  ],
  ['a method nobody knows', 'FROB /echo/1 HTTP/1.1\r\nhost: x\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
])('%s', async (_what, bytes, status) => {
  const answer = await exchange(cli.url, Buffer.from(bytes, 'latin1'), 2_000);
  expect(statusLine(answer)).toBe(status);
  expect(answer).not.toMatch(/\.js|Error:/);
});

test.each([
  '/%',
  '/files/%',
  '/files/%c0%ae%c0%ae',
  '/echo/%00',
  '//',
  '/files/../../etc/passwd',
  '/echo/%2e%2e%2f',
  '/echo/a?%',
  '/throw?n[x]=%00',
])('the path %s gets an orderly answer', async (path) => {
  const answer = await exchange(cli.url, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  expect(Number(answer.split(' ')[1])).toBeGreaterThanOrEqual(200);
  expect(answer).toMatch(/^content-type: application\/json/m);
});

test('a line break smuggled in through the query stays data', async () => {
  const answer = await exchange(
    cli.url,
    'GET /echo/1?x=%0d%0aset-cookie:%20evil=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  );
  expect(statusLine(answer)).toBe('HTTP/1.1 200 OK');
  expect(answer.split('\r\n\r\n', 1)[0]).not.toContain('evil');
});

test('a client that stops in the middle of its body holds up nobody, and its step does not run', async () => {
  const head = 'POST /slow?ms=0&tag=half HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n';
  const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(cli.url, `${head}only this`)));
  expect((await send(`${cli.url}/slow?ms=0&tag=whole`, { method: 'POST' })).status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
  expect((await send(`${cli.url}/slow?ms=0&tag=after`, { method: 'POST' })).status).toBe(200);
  expect(cli.logs({ msg: 'slow started' }).map(({ tag }) => tag)).toEqual(['whole', 'after']);
});

test('a body that comes byte by byte is put together', async () => {
  const socket = await openSocket(
    cli.url,
    'POST /echo/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n',
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  for (const byte of 'hello') {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await once(socket, 'close');
  expect(answer).toContain('"rawBody":"hello"');
});

test('requests sent in one go are answered in order', async () => {
  const one = (id: number, end = '') => `GET /echo/${id} HTTP/1.1\r\nhost: x\r\n${end}\r\n`;
  const answer = await exchange(cli.url, one(1) + one(2) + one(3, 'connection: close\r\n'));
  expect([...answer.matchAll(/"url":"\/echo\/(\d)"/g)].map(([, id]) => id)).toEqual(['1', '2', '3']);
});
