/** Connecting: what is wrong is told in a way that says what to do. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { compareVersions } from '../../../shared/versions.ts';
import { startNatsServer } from '../../../testing/nats-server.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that greets as NATS does, in the version and with the features it is given. */
async function greeter(info: object): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(
      `INFO ${JSON.stringify({ server_id: 'x', max_payload: 1_048_576, proto: 1, headers: true, ...info })}\r\n`,
    );
    socket.on('data', (data) => {
      if (data.includes('PING')) socket.write('PONG\r\n');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const connect = (address: Parameters<typeof connectBroker>[0], timeoutMs = 500) =>
  connectBroker(address, { name: 'test', timeoutMs });

describe('is refused with a code and what to do about it', () => {
  test('a server that is too old', async () => {
    const url = await greeter({ version: '2.10.29', jetstream: true });
    await expect(connect({ servers: url })).rejects.toMatchObject({
      code: 'BROKER_TOO_OLD',
      message: 'nats-server 2.10.29 is too old: 2.14.0 or newer is needed',
    });
  });

  test('a server without JetStream', async () => {
    const url = await greeter({ version: '2.15.0', jetstream: false });
    await expect(connect({ servers: url })).rejects.toMatchObject({
      code: 'BROKER_TOO_OLD',
      message: expect.stringContaining('--jetstream'),
    });
  });

  test('no server, with the address but without its password', async () => {
    const url = (await greeter({})).replace('//', '//me:secret@');
    const closed = servers.splice(0)[0] as Server;
    await new Promise((resolve) => closed.close(resolve));
    const error = await connect({ servers: url }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'BROKER_UNREACHABLE', message: expect.stringContaining('NATS_URL') });
    expect(error.message).toContain(url.split('@')[1]);
    expect(error.message).not.toContain('secret');
  });

  test('a wrong password, at once', async () => {
    await using server = await startNatsServer({ config: 'authorization { user: me, password: right }' });
    const started = Date.now();
    await expect(connect({ servers: server.url, user: 'me', password: 'wrong' }, 10_000)).rejects.toMatchObject({
      code: 'BROKER_AUTH',
      message: expect.stringContaining('NATS_PASSWORD'),
    });
    expect(Date.now() - started).toBeLessThan(3_000);
    const broker = await connect({ servers: server.url, user: 'me', password: 'right' });
    await broker.close();
  });
});

test('waits for a server that is still starting', async () => {
  const server = await startNatsServer();
  await server.kill('SIGKILL');
  const connecting = connect({ servers: server.url }, 10_000);
  await server.restart();
  const broker = await connecting;
  expect(broker.maxPayload()).toBe(8 * 1024 * 1024);
  await broker.close();
  await server.stop();
});

test('what waits for an answer is told at once that the connection dropped', async () => {
  await using server = await startNatsServer();
  let disconnects = 0;
  const broker = await connectBroker({ servers: server.url }, { name: 'test', onDisconnect: () => disconnects++ });
  broker.nc.subscribe('silence', { callback: () => {} });
  await broker.flush();
  const started = Date.now();
  const answer = broker.mux.request('silence', '', { timeoutMs: 10_000 }).catch((error) => error.code);
  await broker.flush();
  await server.kill('SIGKILL');
  expect(await answer).toBe('BROKER_LOST');
  expect(Date.now() - started).toBeLessThan(2_000);
  expect([disconnects, broker.connected()]).toEqual([1, false]);
  await server.restart();
  await broker.whenConnected(10_000);
  expect(broker.connected()).toBe(true);
  await broker.close();
});

test('closing does not wait for a server that is gone', async () => {
  const server = await startNatsServer();
  const broker = await connect({ servers: server.url });
  await server.stop();
  const started = Date.now();
  await broker.close();
  expect(Date.now() - started).toBeLessThan(1_000);
});

test.each([
  ['2.14.0', '2.14.0', 0],
  ['2.9.25', '2.14.0', -1],
  ['2.15.1', '2.14.9', 1],
  ['v2.14.0', '2.14.0', 0],
  ['2.14.0-RC.2', '2.14.0', 0],
  ['3.0.0', '2.99.99', 1],
  ['2.14', '2.14.0', 0],
  ['0', '2.14.0', -1],
])('version %s against %s', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});
