/** A small shop: middleware that tells errors apart, cookies, downloads, signed webhooks. */
import { createHmac } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

let cli: RunningCli;
beforeAll(async () => {
  cli = await startCli('dev', await createProject({ copyOf: fixtureApp('shop'), packages: { zod: 'zod3' } }));
});

const item = (id: string, key = 'secret') => send(`${cli.url}/items/${id}`, { headers: { 'x-key': key } });

test('the first middleware is the outermost; each sees what the others did to request and response', async () => {
  const { status, headers, json } = await item('1');
  expect({ status, body: json() }).toEqual({ status: 200, body: { id: '1', order: ['timed', 'key'] } });
  expect(headers).toMatchObject({ 'x-timed': 'yes', 'set-cookie': ['seen=1; HttpOnly', 'theme=dark'] });
});

test('one that does not call next answers for the handler', async () => {
  const { status, headers, json } = await item('1', 'wrong');
  expect({ status, body: json() }).toEqual({ status: 401, body: { error: 'key' } });
  expect(headers['x-timed']).toBe('yes'); // of the one around it
});

test('errors of the handler reach middleware as the objects that were thrown', async () => {
  const zod = await item('abc');
  expect({ status: zod.status, body: zod.json() }).toEqual({ status: 422, body: { issues: ['id'] } });
  const notFound = await item('404');
  expect({ status: notFound.status, body: notFound.json() }).toEqual({
    status: 404,
    body: { error: 'item 404 not found' },
  });
  const other = await item('500');
  expect({ status: other.status, body: other.json() }).toEqual({
    status: 500,
    body: { error: 'Internal server error', errorId: expect.any(String) },
  });
  expect(await cli.waitForLog({ errorId: other.json().errorId })).toMatchObject({
    err: { message: 'SECRET connection string' },
  });
});

test("fields of the log that are ours stay ours, but for a step's own `step`", async () => {
  await item('7');
  const record = await cli.waitForLog({ msg: 'served', id: '7' });
  expect(record).toMatchObject({
    level: 'info',
    step: 'own step name',
    _level: 'own level',
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
});

test('a buffer is sent byte by byte', async () => {
  const { headers, body } = await send(`${cli.url}/invoices/2024-1`);
  expect(headers).toMatchObject({
    'content-type': 'application/pdf',
    'content-disposition': 'attachment; filename="2024-1.pdf"',
    'content-length': '6',
  });
  expect(body).toEqual(Buffer.from([0x25, 0x50, 0x44, 0x46, 0xff, 0x00]));
});

test('a signature over the raw body holds, whatever its formatting', async () => {
  const body = '{ "currency":"EUR",\n  "amount": 12.50, "note": "\\u00e9 é" }';
  const signature = createHmac('sha256', 'key').update(body).digest('hex');
  const post = (text: string) =>
    send(`${cli.url}/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-signature': signature },
      body: text,
    });
  expect((await post(`${body} `)).status).toBe(400);
  expect((await post(body)).json()).toEqual({ received: true });
  expect(await cli.waitForLog({ msg: 'paid', step: 'Paid' })).toMatchObject({ total: 12.5 });
});

test('nothing in it is said to be not served', () => {
  expect(cli.logs({ action: 'project_warning' })).toEqual([]);
});
