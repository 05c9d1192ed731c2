/** The broker that `motia dev` runs: protected, on loopback, and back after a crash with its data. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { type EmbeddedServer, startEmbeddedServer } from '../../../cli/embedded-server.ts';
import { findNatsServer } from '../../../cli/nats-server.ts';
import { commandLine, isAlive } from '../../../cli/process-identity.ts';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { readEnvironment } from '../../../shared/config.ts';

const { natsServer: configured, searchPath, cacheDir } = readEnvironment();

async function withServer(work: (server: EmbeddedServer, dataDir: string, log: () => string) => Promise<void>) {
  const { path: binary } = await findNatsServer({ configured, searchPath, cacheDir });
  const dataDir = mkdtempSync(join(tmpdir(), 'motia-embedded-'));
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(line) });
  const server = await startEmbeddedServer({ binary, dataDir, log });
  try {
    await work(server, dataDir, () => lines.join(''));
  } finally {
    await server.stop();
  }
  expect(isAlive(server.pid)).toBe(false);
  rmSync(dataDir, { recursive: true });
}

test('lets in who has the password, and nobody else', () =>
  withServer(async ({ address }) => {
    const broker = await connectBroker(address, { name: 'test' });
    await broker.close();
    const stranger = connectBroker({ servers: address.servers }, { name: 'stranger' });
    await expect(stranger).rejects.toMatchObject({ code: 'BROKER_AUTH' });
  }));

test('keeps the password off the command line and away from other users', () =>
  withServer(async ({ address, pid }, dataDir, log) => {
    const { password = '' } = address;
    expect(password.length).toBeGreaterThanOrEqual(32);
    expect(await commandLine(pid)).not.toContain(password);
    const config = join(dataDir, 'broker/nats-server.conf');
    expect(readFileSync(config, 'utf8')).toContain(password);
    expect(statSync(config).mode & 0o777).toBe(0o600);
    expect(log()).not.toContain(password);
    expect(readFileSync(join(dataDir, 'broker/nats-server.log'), 'utf8')).not.toContain(password);
  }));

test('is reported and started again, at the same address, when it is killed', () =>
  withServer(async (server, _dataDir, log) => {
    const { pid, address } = server;
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(server.pid).not.toBe(pid), 5_000);
    expect(server.address).toEqual(address);
    expect(log()).toContain('nats-server ended (SIGKILL)');
    await (await connectBroker(address, { name: 'test' })).close();
  }));

test('can be stopped while it is being started again', () =>
  withServer(async ({ pid }) => {
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false));
  }));
