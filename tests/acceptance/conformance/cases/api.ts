/** What handlers are given of HTTP requests. */
import { createHash, randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Case } from '../cases.ts';
import type { World } from '../world.ts';

const MB = 1024 * 1024;
export const shown = (bytes: Uint8Array) => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
const echo = ({ call }: World, type: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  call('/echo/1', { method: 'POST', headers: { ...(type && { 'content-type': type }), ...headers }, body });

export const apiCases: Case[] = [
  {
    name: 'every part of a JSON request reaches the handler',
    async run({ call }) {
      const text = ' {"a": [1, "é 👩‍👩‍👧 \\u0000\\u2028", null, true, -0.5e-7], "b": {"": {}}} ';
      const response = await call('/echo/7/more?x=1', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Some': 'Value' },
        body: text,
      });
      expect(response.status).toBe(200);
      const { headers, ...rest } = response.json();
      expect(rest).toEqual({
        body: JSON.parse(text),
        rawBody: text,
        pathParams: { id: '7', more: 'more' },
        queryParams: { x: '1' },
        method: 'POST',
        url: '/echo/7/more?x=1',
      });
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
        'x-some': 'Value',
      });
    },
  },
  {
    name: 'JSON by another name, and a list, are JSON',
    async run(world) {
      expect((await echo(world, 'application/vnd.api+json; charset=utf-8', '[1, {}]')).json().body).toEqual([1, {}]);
    },
  },
  {
    name: 'the query: lists, objects, what is no valid encoding',
    async run({ call }) {
      const queries: [query: string, expected: object][] = [
        ['x=1&x=2', { x: ['1', '2'] }],
        ['z[]=9', { z: ['9'] }],
        ['l[1]=b&l[0]=a', { l: ['a', 'b'] }],
        ['y[k]=v&y[l][m]=w', { y: { k: 'v', l: { m: 'w' } } }],
        ['p[0][a]=1&p[0][b]=2', { p: [{ a: '1', b: '2' }] }],
        ['q=a+b%2Bc&empty=&flag', { q: 'a b+c', empty: '', flag: '' }],
        ['name=%E4%BD%A0&bad=%zz', { name: '你', bad: '%zz' }],
        ['__proto__[polluted]=1&ok=1', { ok: '1' }],
        ['', {}],
      ];
      const answers = await Promise.all(queries.map(([query]) => call(`/echo/1?${query}`)));
      expect(answers.map(({ json }) => json().queryParams)).toEqual(queries.map(([, expected]) => expected));
      const tooMany = await call(`/echo/1?${'a=1&'.repeat(1_500)}`);
      expect({ status: tooMany.status, keys: Object.keys(tooMany.json()) }).toEqual({ status: 400, keys: ['error'] });
    },
  },
  {
    name: 'path parameters are decoded, optional ones left out, a wildcard takes the rest',
    async run({ call }) {
      const { pathParams, url } = (await call('/echo/a%20b%2Fc%C3%A9?x=1')).json();
      expect({ pathParams, url }).toEqual({ pathParams: { id: 'a b/cé' }, url: '/echo/a%20b%2Fc%C3%A9?x=1' });
      expect((await call('/ECHO/7/more/')).json().pathParams).toEqual({ id: '7', more: 'more' });
      expect((await call('/files/a/b%20c.txt')).json().pathParams).toEqual({ 0: 'a/b c.txt' });
    },
  },
  {
    name: 'headers: names are lower-cased, repeated ones joined, long ones whole',
    async run({ call }) {
      const long = 'v'.repeat(12_000);
      const { headers } = (
        await call('/echo/1', { headers: { 'X-Some': ['a', 'b'], 'X-ONE': 'c', cookie: 'k=v', 'x-long': long } })
      ).json();
      expect(headers).toMatchObject({ 'x-some': 'a, b', 'x-one': 'c', cookie: 'k=v', 'x-long': long });
    },
  },
  {
    name: 'forms and text are parsed, and kept as they came',
    async run(world) {
      const texts: [type: string, text: string, body: unknown][] = [
        ['application/x-www-form-urlencoded', 'a=1&a=2&b[c]=%C3%A9+x', { a: ['1', '2'], b: { c: 'é x' } }],
        ['text/plain', 'grüße\r\n', 'grüße\r\n'],
        ['text/xml; charset=utf-8', '<a/>', '<a/>'],
      ];
      for (const [type, rawBody, body] of texts) {
        expect((await echo(world, type, rawBody)).json(), type).toMatchObject({ body, rawBody });
      }
      const latin1 = await echo(world, 'text/plain; charset=iso-8859-1', Buffer.from('grüße', 'latin1'));
      expect(latin1.json().body).toBe('grüße');
    },
  },
  {
    name: 'bytes arrive as they are, whatever their type, and without one',
    async run(world) {
      const bytes = randomBytes(100_003);
      for (const type of ['application/octet-stream', 'image/png', '']) {
        const { body, rawBody } = (await echo(world, type, bytes)).json();
        expect({ body, rawBody }, type).toEqual({ body: shown(bytes), rawBody: shown(bytes) });
      }
    },
  },
  {
    name: 'multipart: fields and files, byte by byte',
    async run({ gateway }) {
      const upload = async (...parts: [name: string, value: string | Blob, file?: string][]) => {
        const form = new FormData();
        for (const [name, value, file] of parts) {
          if (typeof value === 'string') form.append(name, value);
          else form.append(name, value, file);
        }
        return (await gateway.fetch('/echo/1', { method: 'POST', body: form })).json() as Promise<{ file?: string }>;
      };
      const [png, text] = [randomBytes(50_000), Buffer.from('héllo\r\n--x\r\n')];
      const several = await upload(
        ['title', 'Ünïcode'],
        ['tag', 'a'],
        ['tag', 'b'],
        ['image', new Blob([png], { type: 'image/png' }), 'pic ture.png'],
        ['note', new Blob([text], { type: 'text/plain' }), 'nöte.txt'],
      );
      expect(several).toMatchObject({
        body: { title: 'Ünïcode', tag: ['a', 'b'] },
        files: [
          { fieldname: 'image', originalname: 'pic ture.png', mimetype: 'image/png', size: png.length, ...shown(png) },
          { fieldname: 'note', originalname: 'nöte.txt', mimetype: 'text/plain', size: text.length, ...shown(text) },
        ],
      });
      expect(several).not.toHaveProperty('file');
      expect((await upload(['image', new Blob(['x']), 'one.png'])).file).toBe('one.png');
    },
  },
  {
    name: 'no body',
    async run({ call }) {
      for (const method of ['GET', 'POST']) {
        expect((await call('/echo/1', { method })).json()).toMatchObject({ body: {}, rawBody: '', method });
      }
      const typed = await call('/echo/1', { method: 'POST', headers: { 'content-type': 'application/json' } });
      expect(typed.json()).toMatchObject({ body: {}, rawBody: '' });
    },
  },
  {
    name: 'packed bodies are unpacked: gzip, deflate',
    async run(world) {
      const rawBody = JSON.stringify({ text: 'compress me '.repeat(1_000) });
      for (const [encoding, pack] of [['gzip', gzipSync] as const, ['deflate', deflateSync] as const]) {
        const response = await echo(world, 'application/json', pack(rawBody), { 'content-encoding': encoding });
        expect(response.json(), encoding).toMatchObject({ body: JSON.parse(rawBody), rawBody });
      }
    },
  },
  {
    name: 'packed bodies are unpacked: br',
    skip: {
      python: 'it takes the package brotli, which a project installs if it wants to; without it the answer is 415',
    },
    async run(world) {
      const response = await echo(world, 'text/plain', brotliCompressSync('text'), { 'content-encoding': 'br' });
      expect(response.json().body).toBe('text');
    },
  },
  {
    name: 'what cannot be parsed is refused as JSON, and tells nothing internal',
    async run(world) {
      const form = '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx';
      const refused: [status: number, type: string, body: string | Uint8Array, headers?: Record<string, string>][] = [
        [400, 'application/json', '{"a":'],
        [400, 'application/json', '42'],
        [400, 'application/json', '{"a": NaN}'],
        [400, 'application/json', 'plain', { 'content-encoding': 'gzip' }],
        [400, 'application/json', gzipSync('{"a": "long enough"}').subarray(0, -9), { 'content-encoding': 'gzip' }],
        [413, 'application/json', gzipSync(Buffer.alloc(10 * MB + 1)), { 'content-encoding': 'gzip' }],
        [415, 'application/json', '{}', { 'content-encoding': 'zstd-ultra' }],
        [415, 'text/plain; charset=klingon', 'x'],
        [400, 'multipart/form-data', 'x'],
        [400, 'multipart/form-data; boundary=b', form],
      ];
      for (const [status, type, body, headers] of refused) {
        const answer = await echo(world, type, body, headers);
        const what = `${type} ${JSON.stringify(headers)}`;
        expect([answer.status, answer.headers['content-type']], what).toEqual([
          status,
          'application/json; charset=utf-8',
        ]);
        expect(Object.keys(answer.json()), what).toEqual(['error']);
        expect(answer.text).not.toMatch(/ at |\.ts|\.js|\.py|node_modules|Traceback/);
      }
    },
  },
  {
    name: 'a key `__proto__` is dropped',
    async run(world) {
      const answer = await echo(
        world,
        'application/json',
        '{"__proto__":{"a":1},"\\u005f_proto__":2,"ok":{"__proto__":3}}',
      );
      expect(answer.json().body).toEqual({ ok: {} });
    },
  },
  {
    name: 'a body that does not fit its schema is refused, and each issue named; one that fits comes as it was sent',
    async run({ post }) {
      const refused = await post('/validated', { count: 0, tags: ['a', 'c'] });
      const { error, issues } = refused.json() as { error: string; issues: { path: string; message: string }[] };
      expect([refused.status, error]).toEqual([400, 'The request body is not valid']);
      expect(issues).toHaveLength(3);
      const told = issues.map(({ path, message }) => `${path}: ${message}`).join('\n');
      expect(told).toMatch(/^count: \w{3}/m);
      expect(told).toMatch(/^tags\.1: \w{3}/m);
      expect(told).toMatch(/^(item: .*|: .*'item')/m);
      const valid = { item: 'x', count: 2, tags: ['a'], extra: true };
      expect((await post('/validated', valid)).json()).toEqual(valid);
    },
  },
  {
    name: 'HEAD is served by GET without the body, or by a step of its own',
    async run({ call }) {
      const head = await call('/echo/1', { method: 'HEAD' });
      expect([head.status, head.headers['content-type'], head.text]).toEqual([
        200,
        'application/json; charset=utf-8',
        '',
      ]);
      expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
      expect((await call('/head', { method: 'HEAD' })).headers['x-served-by']).toBe('head step');
      expect((await call('/head')).status).toBe(405);
    },
  },
  {
    name: 'a request body of 8 MB, more than a message of the broker holds',
    async run(world) {
      const bytes = randomBytes(8 * MB);
      const answer = await echo(world, 'application/octet-stream', bytes);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json().rawBody).toEqual(shown(bytes));
      const text = 'é'.repeat(1.5 * MB);
      const { length } = (await echo(world, 'application/json', JSON.stringify({ text }))).json().body.text;
      expect(length).toBe(text.length);
    },
  },
];
