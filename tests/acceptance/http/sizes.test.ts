/** Bodies up to the limit pass whole, also those that are larger than a message of the broker; larger ones are refused. */
import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

const MB = 1024 * 1024;
const LIMIT = 10 * MB;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** `largest`: of the broker's messages. */
const brokers: [name: string, largest: number, environment: () => Promise<Record<string, string>>][] = [
  ['our own broker', 8 * MB, async () => ({})],
  [
    "an external broker with the server's default",
    MB,
    async () => ({ NATS_URL: (await startNatsServer({ maxPayload: MB })).url }),
  ],
];

describe.each(brokers)('%s', (_name, largest, environment) => {
  let cli: RunningCli;
  const post = (body: Uint8Array, headers: Record<string, string> = {}) =>
    send(`${cli.url}/echo/1`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body,
    });

  beforeAll(async () => {
    const project = await createProject({ copyOf: fixtureApp('http') });
    await project.remove('motia.config.ts'); // its short deadline is for small bodies
    cli = await startCli('dev', project, { env: await environment() });
  });

  test.each([largest - 65 * 1024, largest, LIMIT])('%i bytes arrive whole', async (size) => {
    const bytes = randomBytes(size);
    expect((await post(bytes)).json().rawBody).toEqual({ bytes: size, sha256: sha256(bytes) });
  });

  test.each(['with a length', 'chunked'])('one byte more is refused, %s', async (how) => {
    const headers: Record<string, string> = how === 'chunked' ? { 'transfer-encoding': 'chunked' } : {};
    const { status, json } = await post(randomBytes(LIMIT + 1), headers);
    expect({ status, body: json() }).toEqual({
      status: 413,
      body: { error: `The body is larger than ${LIMIT} bytes` },
    });
    expect((await send(`${cli.url}/echo/1`)).status).toBe(200);
  });

  test('a small body that unpacks to a large one is refused', async () => {
    const { status, json } = await post(gzipSync(Buffer.alloc(LIMIT + 1)), { 'content-encoding': 'gzip' });
    expect({ status, keys: Object.keys(json()) }).toEqual({ status: 413, keys: ['error'] });
  });

  test.each([
    ['buffer', Buffer.alloc(20 * MB, 'pattern!')],
    ['text', Buffer.from('é'.repeat(largest / 2))],
    ['json', Buffer.from(JSON.stringify({ text: 'é'.repeat(largest / 2) }))],
  ])('a large answer (%s) arrives whole', async (kind, expected) => {
    const bytes = kind === 'buffer' ? expected.length : largest;
    const { status, body } = await send(`${cli.url}/large/${kind}?bytes=${bytes}`);
    expect({ status, length: body.length, sha256: sha256(body) }).toEqual({
      status: 200,
      length: expected.length,
      sha256: sha256(expected),
    });
  });
});

test('the limit is configured in bytes, and a client that sends much more gets to read so', async () => {
  const project = await createProject({ copyOf: fixtureApp('http') });
  await project.write('motia.config.ts', 'export default { http: { bodyLimit: 100 } };');
  const cli = await startCli('dev', project);
  const statusOf = async (size: number) =>
    (await send(`${cli.url}/echo/1`, { method: 'POST', body: Buffer.alloc(size) })).status;
  expect(await statusOf(100)).toBe(200);
  expect(await statusOf(101)).toBe(413);
  // Several times, because a connection that is reset too early loses the answer only now and then.
  for (let attempt = 0; attempt < 20; attempt++) expect(await statusOf(5 * MB)).toBe(413);
});
