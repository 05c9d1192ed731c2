import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ApiRequest } from '../../../../shared/types.ts';
import { BadRequest } from '../../../../worker/http/bad-request.ts';
import { parseRequest } from '../../../../worker/http/request.ts';
import { seeded } from './random.ts';

const LIMITS = { bodyLimit: 100_000 };

interface Sent {
  url?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

/** Async, so that what `parseRequest` throws at once rejects too. */
async function parse({ url = '/', headers = {}, body = '' }: Sent): Promise<ApiRequest> {
  return parseRequest({ method: 'POST', url, params: {}, headers }, Buffer.from(body), LIMITS);
}

const parseAs = (contentType: string, body: string | Buffer) =>
  parse({ headers: { 'content-type': contentType }, body });

const refused = (status: number, message?: RegExp) =>
  expect.objectContaining({
    name: 'BadRequest',
    status,
    ...(message && { message: expect.stringMatching(message) }),
  });

test('carries over what the gateway has parsed', () => {
  const head = { method: 'PUT', url: '/users/7?x=1', params: { id: '7' }, headers: { accept: 'a, b' } };
  expect(parseRequest(head, Buffer.alloc(0), LIMITS)).toEqual({
    method: 'PUT',
    url: '/users/7?x=1',
    pathParams: { id: '7' },
    queryParams: { x: '1' },
    headers: { accept: 'a, b' },
    body: {},
    rawBody: '',
  });
});

describe('query', () => {
  test.each([
    ['/', {}],
    ['/?', {}],
    ['/?x=1&x=2', { x: ['1', '2'] }],
    ['/?y[k]=v', { y: { k: 'v' } }],
    ['/?y%5Bk%5D=v', { y: { k: 'v' } }],
    ['/?z[]=9', { z: ['9'] }],
    ['/?a=b+c%2B&d', { a: 'b c+', d: '' }],
    ['/?a=%C3%A9&b=%ff&c=%', { a: 'é', b: '%ff', c: '%' }],
    ['/?a=?b', { a: '?b' }],
    ['/?i[1000000]=x', { i: { 1000000: 'x' } }],
    ['/?constructor=2024', { constructor: '2024' }],
  ])('%s', async (url, expected) => {
    expect((await parse({ url })).queryParams).toEqual(expected);
  });

  test('a repeated parameter is an array however often it is repeated', async () => {
    const { queryParams } = await parse({ url: `/?${'x=1&'.repeat(900)}` });
    expect(queryParams.x).toHaveLength(900);
  });

  test('too many or too deep parameters are refused', async () => {
    await expect(parse({ url: `/?${'x&'.repeat(1001)}` })).rejects.toEqual(refused(400, /1000 parameters/));
    await expect(parse({ url: `/?a${'[b]'.repeat(11)}=1` })).rejects.toEqual(refused(400, /levels deep/));
  });

  test.each([
    '__proto__[x]=1',
    '__proto__=1',
    'a[__proto__][x]=1',
    'constructor[prototype][x]=1',
    'a=1&a[__proto__]=2',
  ])('%s pollutes nothing', async (query) => {
    const { queryParams } = await parse({ url: `/?${query}` });
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(Object.getPrototypeOf(queryParams)).toBe(Object.prototype);
    expect(JSON.stringify(queryParams)).not.toContain('__proto__');
  });
});

describe('text bodies', () => {
  test.each([
    ['application/json', '{"a": 1}', { a: 1 }],
    ['Application/JSON; charset=UTF-8', '[1]', [1]],
    ['application/ld+json', '{"a":"é"}', { a: 'é' }],
    ['application/x-www-form-urlencoded', 'a=1&b[c]=2&d=x+y', { a: '1', b: { c: '2' }, d: 'x y' }],
    ['text/plain', 'héllo', 'héllo'],
    ['text/csv; header=present', 'a,b', 'a,b'],
  ])('%s', async (contentType, body, expected) => {
    const req = await parseAs(contentType, body);
    expect(req.body).toEqual(expected);
    expect(req.rawBody).toBe(body);
  });

  test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=b', 'image/png', ''])(
    'an empty body of type "%s" is an empty object',
    async (contentType) => {
      expect(await parseAs(contentType, '')).toMatchObject({ body: {}, rawBody: '' });
    },
  );

  test('the charset decides, quoted or not', async () => {
    const latin1 = Buffer.from('{"a":"é"}', 'latin1');
    expect((await parseAs('application/json; charset="ISO-8859-1"', latin1)).body).toEqual({ a: 'é' });
    expect((await parseAs('text/plain;charset=latin1', latin1)).body).toBe('{"a":"é"}');
    await expect(parseAs('text/plain; charset=koi8-r', 'x')).rejects.toEqual(refused(415, /koi8-r/));
  });

  test('a byte order mark is not content', async () => {
    expect((await parseAs('application/json', '\ufeff{"a":1}')).body).toEqual({ a: 1 });
  });

  test.each(['{', '{"a":1', 'x', '{}{}', '\0'])('malformed JSON %j is refused', async (body) => {
    await expect(parseAs('application/json', body)).rejects.toEqual(refused(400, /not valid JSON/));
  });

  test.each(['1', '"text"', 'null', 'true'])('the JSON scalar %s is refused', async (body) => {
    await expect(parseAs('application/json', body)).rejects.toEqual(refused(400, /object or array/));
  });

  test.each([
    '{"__proto__":{"x":1},"a":1}',
    '{"\\u005f_proto__":{"x":1},"a":1}',
    '{"__\\u0070roto__":{"x":1},"a":1}',
    '{"a":1,"b":[{"__prot\\u006f__":{"x":1}}]}',
  ])('%s loses its __proto__', async (body) => {
    const req = await parseAs('application/json', body);
    const copy = Object.assign({}, req.body) as { a: number; b?: [object] };
    expect(copy.a).toBe(1);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(JSON.stringify(req.body)).not.toContain('__proto__');
    expect(req.rawBody).toBe(body);
  });

  test('neither does depth stop it', async () => {
    const body = `{"__proto__":1,"a":${'['.repeat(40_000)}${']'.repeat(40_000)}}`;
    expect(Object.keys((await parseAs('application/json', body)).body as object)).toEqual(['a']);
  });

  test('too many form fields are refused', async () => {
    await expect(parseAs('application/x-www-form-urlencoded', 'x&'.repeat(1001))).rejects.toEqual(refused(400));
  });
});

describe('binary bodies', () => {
  test.each(['application/octet-stream', 'image/png', 'application/jsonp', 'multipart/mixed', 'nonsense', ''])(
    'type "%s" is handed over as bytes',
    async (contentType) => {
      const body = Buffer.from([0, 255, 1]);
      expect(await parseAs(contentType, body)).toMatchObject({ body, rawBody: body });
    },
  );

  test('a body without a type is bytes', async () => {
    expect((await parse({ body: 'x' })).body).toEqual(Buffer.from('x'));
  });
});

test('a body above the limit is refused', async () => {
  await expect(parse({ body: Buffer.alloc(LIMITS.bodyLimit + 1) })).rejects.toEqual(refused(413, /100000 bytes/));
  await expect(parse({ body: Buffer.alloc(LIMITS.bodyLimit) })).resolves.toBeDefined();
});

describe('content-encoding', () => {
  const json = (encoding: string, body: Buffer) =>
    parse({ headers: { 'content-type': 'application/json', 'content-encoding': encoding }, body });

  test.each([
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (text: string) => Buffer.from(text)],
  ])('%s', async (encoding, compress) => {
    expect(await json(encoding, compress('{"a":1}'))).toMatchObject({ body: { a: 1 }, rawBody: '{"a":1}' });
  });

  test.each(['gzip', 'deflate', 'br'])('malformed or cut off %s is refused', async (encoding) => {
    await expect(json(encoding, Buffer.from('{"a":1}'))).rejects.toEqual(refused(400, /not valid/));
    await expect(json('gzip', gzipSync('{"a":1}').subarray(0, -9))).rejects.toEqual(refused(400, /not valid/));
  });

  test('a bomb is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(LIMITS.bodyLimit + 1));
    await expect(json('gzip', bomb)).rejects.toEqual(refused(413, /decompressed/));
    await expect(json('br', brotliCompressSync(Buffer.alloc(2_000_000)))).rejects.toEqual(refused(413));
  });

  test.each(['zstd', 'gzip, br', 'constructor'])('%s is not supported', async (encoding) => {
    await expect(json(encoding, Buffer.from('x'))).rejects.toEqual(refused(415));
  });

  test('what was compressed to nothing is no body', async () => {
    expect(await json('gzip', gzipSync(''))).toMatchObject({ body: {}, rawBody: '' });
  });

  test('malformed JSON inside is refused, and a bad query before it', async () => {
    await expect(json('gzip', gzipSync('{'))).rejects.toEqual(refused(400, /JSON/));
    const body = gzipSync('{');
    await expect(
      parse({ url: `/?${'x&'.repeat(1001)}`, headers: { 'content-encoding': 'gzip' }, body }),
    ).rejects.toEqual(refused(400, /parameters/));
  });
});

describe('multipart/form-data', () => {
  const TYPE = 'multipart/form-data; boundary=b';
  const part = (headers: string, content: string) => `--b\r\n${headers}\r\n\r\n${content}\r\n`;
  const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value);
  const file = (name: string, filename: string, content: string) =>
    part(`Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: image/png`, content);

  test('fields and one file', async () => {
    const body = `${field('title', 'héllo')}${file('photo', 'C:\\tmp\\größe.png', 'bytes')}--b--\r\n`;
    const photo = {
      fieldname: 'photo',
      originalname: 'größe.png',
      mimetype: 'image/png',
      size: 5,
      buffer: Buffer.from('bytes'),
    };
    expect(await parseAs(TYPE, body)).toMatchObject({
      body: { title: 'héllo' },
      rawBody: Buffer.from(body),
      files: [photo],
      file: photo,
    });
  });

  test('several files, in order, and repeated fields', async () => {
    const body = `${field('x', '1')}${file('f', 'a', '')}${field('x', '2')}${file('f', 'b', 'B')}${field('x', '3')}--b--`;
    const req = await parseAs(TYPE, body);
    expect(req.body).toEqual({ x: ['1', '2', '3'] });
    expect(req.files?.map(({ originalname, size }) => [originalname, size])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
    expect(req).not.toHaveProperty('file');
  });

  test('what FormData encodes comes back, megabytes included', async () => {
    const form = new FormData();
    const bytes = Buffer.alloc(5_000_000, 'binary \r\n--');
    form.append('note', 'a\nb');
    form.append('upload', new Blob([bytes], { type: 'application/zip' }), 'a.zip');
    const encoded = new Response(form);
    const head = {
      method: 'POST',
      url: '/',
      params: {},
      headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
    };
    const req = await parseRequest(head, Buffer.from(await encoded.arrayBuffer()), { bodyLimit: 10_000_000 });
    expect(req.body).toEqual({ note: 'a\r\nb' });
    expect(req.file).toMatchObject({ originalname: 'a.zip', mimetype: 'application/zip', size: bytes.length });
    expect(req.file?.buffer.equals(bytes)).toBe(true);
  });

  test('a quoted boundary may hold any punctuation', async () => {
    const body = `${field('x', '1')}--b--`.replaceAll('--b', "--a ;'=%41");
    expect((await parseAs('multipart/form-data; Boundary="a ;\'=%41"; charset=utf-8', body)).body).toEqual({ x: '1' });
  });

  test('a form without parts is empty', async () => {
    expect(await parseAs(TYPE, '--b--\r\n')).toMatchObject({ body: {}, files: [] });
  });

  test('__proto__ as a field name pollutes nothing', async () => {
    const { body } = await parseAs(TYPE, `${field('__proto__', 'x')}${field('constructor', 'y')}--b--`);
    expect(Object.keys(body as object)).toEqual(['constructor']);
  });

  test.each([
    ['no boundary', 'multipart/form-data', '--b--'],
    ['an empty boundary', 'multipart/form-data; boundary=""', '--b--'],
    ['a boundary beyond ASCII', 'multipart/form-data; boundary="é"', '--é--'],
    ['an escape in the boundary', 'multipart/form-data; boundary="\\b"', '--b--'],
    ['another boundary', 'multipart/form-data; boundary=other', field('x', '1')],
    ['no end', TYPE, field('x', '1')],
    ['an end within a header', TYPE, '--b\r\nContent-Disposition: form-data; na'],
    ['an end within a file', TYPE, file('f', 'a', 'x').slice(0, -3)],
    ['a field without a name', TYPE, `${part('Content-Disposition: form-data', 'x')}--b--`],
    ['a file without a name', TYPE, `${part('Content-Disposition: form-data; filename="a"', 'x')}--b--`],
  ])('%s is refused', async (_what, contentType, body) => {
    await expect(parseAs(contentType, body)).rejects.toEqual(refused(400, /multipart/));
  });

  test('too many parts are refused', async () => {
    const body = `${field('x', '1').repeat(1000)}--b--`;
    expect((await parseAs(TYPE, body)).body).toMatchObject({ x: { length: 1000 } });
    await expect(parseAs(TYPE, field('x', '1') + body)).rejects.toEqual(refused(413, /1000 parts/));
  });
});

test('whatever is sent, the answer is a request or a BadRequest', { timeout: 30_000 }, async () => {
  const types = [
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data; boundary=b',
    'multipart/form-data; boundary="b"; charset=x',
    "multipart/form-data; boundary*=utf-8''b",
    'image/png',
    ';;=',
  ];
  const texts = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '1',
    'null',
    '\\u00',
    '__proto__',
    '&',
    '=',
    'a',
    '%',
    '%ff',
    '+',
    ';',
  ];
  const lines = [
    '--b',
    '--b--',
    '--',
    '\r\n',
    '\r\n\r\n',
    'Content-Disposition: form-data; ',
    'name="x"',
    'name=',
    '; filename="f"',
    "; filename*=utf-8''%ff",
    'Content-Type: text/plain; charset=',
    'Content-Transfer-Encoding: base64',
    'x',
    ': ',
    '"',
    '\\',
    ' ',
  ];
  for (let seed = 0; seed < 6000; seed++) {
    const random = seeded(seed);
    const body = random.pick([
      () => Buffer.from(random.text(texts, 20)),
      () => Buffer.from(random.text(lines, 20)),
      () => Buffer.from(`--b\r\n${lines[5]}${random.text(lines, 8)}\r\n\r\n${random.text(lines, 6)}\r\n--b--`),
      () => random.bytes(40),
      () => gzipSync(random.text(texts, 20)),
    ])();
    const headers: Sent['headers'] = { 'content-type': random.pick(types) };
    if (random.int(4) === 0) headers['content-encoding'] = random.pick(['gzip', 'br', 'deflate', 'x', '']);
    const url = `/?${random.text([...texts, '[', ']', '[]', 'toString', 'length', 'hasOwnProperty'], 20)}`;
    const outcome = await settled(parse({ url, headers, body }));
    const ok = outcome instanceof BadRequest || (typeof outcome === 'object' && outcome !== null && 'body' in outcome);
    expect(ok, `seed ${seed}: ${String(outcome)} for ${JSON.stringify({ url, headers, body: String(body) })}`).toBe(
      true,
    );
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** What came of it; a text when nothing does within a second. */
function settled(promise: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout;
  const deadline = new Promise((resolve) => {
    timer = setTimeout(resolve, 1000, 'no outcome');
  });
  return Promise.race([promise.catch((error: unknown) => error), deadline]).finally(() => clearTimeout(timer));
}
