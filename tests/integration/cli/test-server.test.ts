/** The server that tests run against: each is a fresh one, and survives what tests do to it. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';

/** The greeting line that a NATS server sends to whoever connects. */
function greeting(port: number): Promise<{ max_payload: number; jetstream: boolean; server_id: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    let text = '';
    socket.on('error', reject).on('data', (chunk) => {
      text += chunk;
      if (!text.includes('\r\n')) return;
      socket.destroy();
      resolve(JSON.parse(text.slice('INFO '.length, text.indexOf('\r\n'))));
    });
  });
}

test('takes connections, has JetStream and the message limit, and leaves no store behind', async () => {
  const server = await startNatsServer();
  const { max_payload, jetstream } = await greeting(server.port);
  expect({ max_payload, jetstream }).toEqual({ max_payload: 8 * 1024 * 1024, jetstream: true });
  expect(existsSync(server.storeDir)).toBe(true);
  await server.stop();
  expect(existsSync(server.storeDir)).toBe(false);
  await expect(greeting(server.port)).rejects.toThrow('ECONNREFUSED');
});

test('comes back on the same port after it was killed', async () => {
  await using server = await startNatsServer();
  const first = await greeting(server.port);
  await server.kill('SIGKILL');
  await server.restart();
  expect((await greeting(server.port)).server_id).not.toBe(first.server_id);
});

test('tells what the server said when it does not start', async () => {
  await expect(startNatsServer({ config: 'nonsense_setting: 1' })).rejects.toThrow(/nonsense_setting/);
});

test('tells what the server said when its port is taken', async () => {
  await using server = await startNatsServer();
  await expect(startNatsServer({ port: server.port })).rejects.toThrow(/address already in use/);
});
