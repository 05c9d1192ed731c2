/** What a handler is given of an HTTP request. */
import { createHash, randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { type HttpRequest, send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

let cli: RunningCli;
beforeAll(async () => {
  cli = await startCli('dev', await createProject({ copyOf: fixtureApp('http') }));
});

const call = (path: string, request?: HttpRequest) => send(cli.url + path, request);
const post = (contentType: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  call('/echo/1', { method: 'POST', headers: { 'content-type': contentType, ...headers }, body });
const shown = (bytes: Uint8Array) => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

describe('path', () => {
  test('parameters are decoded, optional ones left out, and the path stays as it was sent', async () => {
    const { pathParams, url, method } = (await call('/echo/a%20b%2Fc%C3%A9?x=1')).json();
    expect({ pathParams, url, method }).toEqual({
      pathParams: { id: 'a b/cé' },
      url: '/echo/a%20b%2Fc%C3%A9?x=1',
      method: 'GET',
    });
    expect((await call('/ECHO/7/more/')).json().pathParams).toEqual({ id: '7', more: 'more' });
  });

  test('a wildcard takes the rest', async () => {
    expect((await call('/files/a/b.txt')).json().pathParams).toEqual({ 0: 'a/b.txt' });
  });

  test.each(['PUT', 'PATCH', 'DELETE'])('%s reaches its step', async (method) => {
    expect((await call('/echo/1', { method })).json().method).toBe(method);
  });

  test('unknown: 404 as JSON', async () => {
    const { status, headers, json } = await call('/nowhere?x=1');
    expect({ status, type: headers['content-type'], body: json() }).toEqual({
      status: 404,
      type: 'application/json; charset=utf-8',
      body: { error: 'Not found', path: '/nowhere' },
    });
  });

  test('wrong method: 405 that names the right ones', async () => {
    const { status, headers, json } = await call('/files/x', { method: 'POST' });
    expect({ status, allow: headers.allow, body: json() }).toEqual({
      status: 405,
      allow: 'GET, HEAD, OPTIONS',
      body: { error: 'Method not allowed' },
    });
  });

  test.each(['/echo/%', '/echo/%zz', '/echo/%ff'])('%s is no valid encoding: 400 as JSON', async (path) => {
    const { status, json } = await call(path);
    expect({ status, error: json().error }).toEqual({ status: 400, error: expect.stringContaining('percent-encoded') });
  });
});

describe('query', () => {
  test.each([
    ['x=1&x=2', { x: ['1', '2'] }],
    ['z[]=9', { z: ['9'] }],
    ['y[k]=v&y[l]=w', { y: { k: 'v', l: 'w' } }],
    ['q=a+b%2Bc&empty=&flag', { q: 'a b+c', empty: '', flag: '' }],
    ['name=%E4%BD%A0&bad=%zz', { name: '你', bad: '%zz' }],
    ['__proto__[polluted]=1&ok=1', { ok: '1' }],
  ])('%s', async (query, expected) => {
    expect((await call(`/echo/1?${query}`)).json().queryParams).toEqual(expected);
  });
});

describe('headers', () => {
  test('names are lower-cased, repeated ones joined', async () => {
    const { headers } = (
      await call('/echo/1', { headers: { 'X-Some': ['a', 'b'], 'X-ONE': 'c', cookie: 'k=v' } })
    ).json();
    expect(headers).toMatchObject({ 'x-some': 'a, b', 'x-one': 'c', cookie: 'k=v' });
  });

  test('several kilobytes arrive', async () => {
    const value = 'v'.repeat(12_000);
    expect((await call('/echo/1', { headers: { 'x-long': value } })).json().headers['x-long']).toBe(value);
  });
});

describe('body', () => {
  test('none', async () => {
    expect((await call('/echo/1')).json()).toMatchObject({ body: {}, rawBody: '' });
    expect((await call('/echo/1', { method: 'POST' })).json()).toMatchObject({ body: {}, rawBody: '' });
  });

  test.each([
    ['application/json', ' {"a": [1, "é", null]} ', { a: [1, 'é', null] }],
    ['application/vnd.api+json; charset=utf-8', '[1]', [1]],
    ['application/x-www-form-urlencoded', 'a=1&a=2&b[c]=%C3%A9+x', { a: ['1', '2'], b: { c: 'é x' } }],
    ['text/plain', 'grüße\r\n', 'grüße\r\n'],
    ['text/xml; charset=utf-8', '<a/>', '<a/>'],
  ])('%s is parsed, and kept as it came', async (type, text, body) => {
    expect((await post(type, text)).json()).toMatchObject({ body, rawBody: text });
  });

  test('latin1 text is decoded', async () => {
    expect((await post('text/plain; charset=iso-8859-1', Buffer.from('grüße', 'latin1'))).json().body).toBe('grüße');
  });

  test.each(['application/octet-stream', 'image/png', ''])('%s arrives byte by byte', async (type) => {
    const bytes = randomBytes(100_003);
    const { body, rawBody } = (
      await call('/echo/1', { method: 'POST', headers: type ? { 'content-type': type } : {}, body: bytes })
    ).json();
    expect({ body, rawBody }).toEqual({ body: shown(bytes), rawBody: shown(bytes) });
  });

  test('multipart: fields and files', async () => {
    const [png, text] = [randomBytes(50_000), Buffer.from('héllo')];
    const form = new FormData();
    form.append('title', 'Ünïcode');
    form.append('tag', 'a');
    form.append('tag', 'b');
    form.append('image', new Blob([png], { type: 'image/png' }), 'pic ture.png');
    form.append('note', new Blob([text], { type: 'text/plain' }), 'note.txt');
    const received = (await (await cli.fetch('/echo/1', { method: 'POST', body: form })).json()) as Record<
      string,
      unknown
    >;
    expect(received).toMatchObject({
      body: { title: 'Ünïcode', tag: ['a', 'b'] },
      files: [
        { fieldname: 'image', originalname: 'pic ture.png', mimetype: 'image/png', size: png.length, ...shown(png) },
        { fieldname: 'note', originalname: 'note.txt', mimetype: 'text/plain', size: text.length, ...shown(text) },
      ],
    });
    expect(received.file).toBeUndefined();
  });

  test('multipart: the only file is `file` too', async () => {
    const form = new FormData();
    form.append('image', new Blob(['x']), 'one.png');
    const received = (await (await cli.fetch('/echo/1', { method: 'POST', body: form })).json()) as { file: string };
    expect(received.file).toBe('one.png');
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('%s is unpacked', async (encoding, compress) => {
    const text = JSON.stringify({ text: 'compress me '.repeat(1_000) });
    const received = (await post('application/json', compress(text), { 'content-encoding': encoding })).json();
    expect(received).toMatchObject({ body: JSON.parse(text), rawBody: text });
  });

  test('chunked, without a length', async () => {
    const answer = await call('/echo/1', {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked', 'content-type': 'text/plain' },
      body: 'in chunks',
    });
    expect(answer.json().body).toBe('in chunks');
  });

  test.each<[what: string, type: string, body: string, status: number, headers?: Record<string, string>]>([
    ['malformed JSON', 'application/json', '{"a":', 400],
    ['a JSON scalar', 'application/json', '42', 400],
    ['no gzip data', 'application/json', 'plain', 400, { 'content-encoding': 'gzip' }],
    ['an unknown encoding', 'application/json', '{}', 415, { 'content-encoding': 'zstd-ultra' }],
    ['an unknown charset', 'text/plain; charset=klingon', 'x', 415],
    ['multipart without a boundary', 'multipart/form-data', 'x', 400],
    [
      'truncated multipart',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx',
      400,
    ],
  ])('%s: refused as JSON, without a stack', async (_what, type, body, status, headers) => {
    const answer = await post(type, body, headers);
    expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
      status,
      type: 'application/json; charset=utf-8',
    });
    expect(Object.keys(answer.json())).toEqual(['error']);
    expect(answer.text).not.toMatch(/ at |\.ts|\.js|node_modules/);
  });

  test('a key `__proto__` is dropped', async () => {
    const received = await post('application/json', '{"__proto__":{"polluted":1},"\\u005f_proto__":2,"ok":3}');
    expect(received.json().body).toEqual({ ok: 3 });
  });
});

describe('HEAD', () => {
  test('is served by GET, without the body', async () => {
    const head = await call('/echo/1', { method: 'HEAD' });
    expect({ status: head.status, type: head.headers['content-type'], body: head.text }).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
      body: '',
    });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
  });

  test('has its own step where there is one', async () => {
    expect((await call('/head', { method: 'HEAD' })).headers['x-served-by']).toBe('head step');
    expect((await call('/head')).status).toBe(405);
  });
});
