/** The pages of the Workbench as browsers ask for them: which file, with which headers, and what there is without a build. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { mountWorkbench } from '../../../gateway/workbench/pages.ts';
import { send } from '../../helpers/http.ts';

const PAGE = '<!doctype html><title>Workbench</title>';
const TRACES = '<!doctype html><title>Workbench, with what its traces need</title>';
const SCRIPT = 'export const works = "it works";'.repeat(100);
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

async function serve(files: Record<string, string | Uint8Array>) {
  const folder = await mkdtemp(join(tmpdir(), 'motia-workbench-'));
  await mkdir(join(folder, 'assets'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const app = Fastify({ logger: false });
  mountWorkbench(app, folder);
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });
  const { port } = app.server.address() as { port: number };
  return (path: string, headers = {}, method = 'GET') =>
    send(`http://127.0.0.1:${port}/__motia/ui${path}`, { headers, method });
}

test('the page, its assets, deep links, and what there is not', async () => {
  const script = gzipSync(SCRIPT);
  const get = await serve({
    'index.html': PAGE,
    'traces.html': TRACES,
    'assets/app-1a2b.js': SCRIPT,
    'assets/app-1a2b.js.gz': script,
  });

  const page = await get('/');
  expect([page.status, page.text, page.headers['content-type']]).toEqual([200, PAGE, 'text/html;charset=utf-8']);
  expect(page.headers).toMatchObject({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
  const policy = String(page.headers['content-security-policy']).split('; ');
  expect(policy).toEqual(expect.arrayContaining(["default-src 'self'", "frame-ancestors 'none'"]));
  expect(policy.some((part) => part.startsWith('script-src'))).toBe(false); // scripts: from here alone, and none in the page
  expect((await get('/', { 'if-none-match': page.headers.etag })).status).toBe(304);
  expect(await get('')).toMatchObject({ status: 302, headers: { location: '/__motia/ui/' } });

  const plain = await get('/assets/app-1a2b.js');
  expect([plain.status, plain.text]).toEqual([200, SCRIPT]);
  expect(plain.headers).toMatchObject({
    'content-type': 'text/javascript',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    vary: 'Accept-Encoding',
  });
  const zipped = await get('/assets/app-1a2b.js', { 'accept-encoding': 'gzip, br' });
  expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'text/javascript' });
  expect(zipped.body).toEqual(script);
  expect(await get('/assets/app-1a2b.js', {}, 'HEAD')).toMatchObject({ status: 200, text: '' });

  const deep = {
    '/traces/0123?status=failed': TRACES,
    '/traces?status=failed': TRACES,
    '/logs/1': PAGE,
    '/a.b/c': PAGE,
  };
  for (const [path, text] of Object.entries(deep)) {
    const headers = { 'cache-control': 'no-cache' };
    expect(await get(path, HTML), path).toMatchObject({ status: 200, text, headers });
  }
  expect(await get('/traces/0123', { accept: '*/*' })).toMatchObject({ status: 404 });
  for (const path of ['/assets/gone.js', '/assets/..%2f..%2fpackage.json']) {
    expect((await get(path, HTML)).status, path).toBe(404);
  }
});

test('without a build it says what to do', async () => {
  const missing = await serve({});
  expect(await missing('/', HTML)).toMatchObject({ status: 503, text: expect.stringContaining('npm run build') });
});
