/** Broker streams that are kept on three servers: MOTIA_REPLICAS. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWN_GROUPS } from '../../../shared/broker/confined-key-value.ts';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { WHOLE_BUCKET } from '../../../shared/broker/key-value.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import type { NatsServer } from '../../../testing/nats-server.ts';
import { type NatsCluster, startNatsCluster } from '../../helpers/nats-cluster.ts';
import { streamNames, useNatsServer } from './harness.ts';

const single = useNatsServer();
const names = createNames('replicated');
let cluster: NatsCluster;
beforeAll(async () => {
  cluster = await startNatsCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const connectTo = (servers: string, replicas?: number) =>
  connectBroker({ servers, ...(replicas !== undefined && { replicas }) }, { name: 'test' });

test('every broker stream is on as many servers as asked for, and whoever asks for nothing leaves it so', async () => {
  await using broker = disposable(await connectTo(cluster.url, 3));
  await ensureTopology(broker, names);
  const replicas = async () => {
    const infos = (await streamNames(broker)).map((name) => broker.jsm.streams.info(name));
    return (await Promise.all(infos)).map(({ config, cluster: of }) => [config.num_replicas, of?.replicas?.length]);
  };
  const made = await replicas();
  expect(made.length).toBeGreaterThan(15);
  expect(made).toEqual(made.map(() => [3, 2])); // two besides the leader

  await using other = disposable(await connectTo(cluster.url));
  await ensureTopology(other, names);
  expect(await replicas()).toEqual(made);
});

describe.each([
  ['the whole bucket', WHOLE_BUCKET],
  ['single groups', OWN_GROUPS],
])('by who may do all with %s', (_, reach) => {
  test('what is acknowledged is read at once, also by who talks to a server that has not heard of it yet', async () => {
    await using broker = disposable(await connectTo(cluster.url, 3));
    await ensureTopology(broker, names);
    const state = new StateStore(broker, names);
    await state.set('g', 'k', 0);
    const { cluster: of } = await broker.jsm.streams.info(`KV_${names.buckets.state}`);
    const place = (name: string | undefined) => cluster.servers[Number(name?.slice(1))] as NatsServer;
    const follower = place(of?.replicas?.[0]?.name);
    await using writer = disposable(await connectTo(place(of?.leader).url, 3));
    await using reader = disposable(await connectTo(follower.url, 3));
    for (let round = 1; round <= 5; round++) {
      await follower.kill('SIGSTOP');
      for (let n = 1; n <= 200; n++) await new StateStore(writer, names).set('g', 'k', round * 1000 + n);
      const read = new StateStore(reader, names, reach).get('g', 'k');
      await new Promise((sent) => setImmediate(sent)); // it waits before the server that stands still
      await follower.kill('SIGCONT');
      expect(await read).toBe(round * 1000 + 200);
    }
  });

  // What another write has just overtaken is refused by a cluster with an error code of its own.
  test('values, their expiry, removals and changes at the same time, through all servers', async () => {
    const brokers = await Promise.all(cluster.servers.map(({ url }) => connectTo(url, 3)));
    try {
      const [one, two] = brokers.map((broker) => new StateStore(broker, names, reach)) as [StateStore, StateStore];
      await one.set('g', 'text', { text: 'ä€' });
      expect(await two.get('g', 'text')).toEqual({ text: 'ä€' });
      await one.set('g', 'short', 1, { ttl: 60 });
      expect(await two.getEntry('g', 'short')).toMatchObject({ value: 1, expiresAt: expect.any(Number) });
      await two.delete('g', 'text');
      expect(await one.get('g', 'text')).toBeNull();
      await one.set('g', 'last', 1);
      await two.clear('g');
      for (const key of ['short', 'last']) expect(await one.get('g', key)).toBeNull();
      const sum = randomUUID();
      const changes = brokers.flatMap((broker) => {
        const state = new StateStore(broker, names, reach);
        return Array.from({ length: 20 }, () => state.update('sums', sum, (so) => ((so as number | null) ?? 0) + 1));
      });
      await Promise.all(changes);
      expect(await one.get('sums', sum)).toBe(60);
    } finally {
      await Promise.all(brokers.map((broker) => broker.close()));
    }
  });
});

test('a server that goes takes nothing along: its streams have another leader, and lose nothing', async () => {
  await using broker = disposable(await connectTo(cluster.url, 3));
  const state = new StateStore(broker, names);
  await state.set('g', 'kept', 'value');
  const { cluster: of } = await broker.jsm.streams.info(`KV_${names.buckets.state}`);
  const leader = cluster.servers[Number(of?.leader?.slice(1))];
  await leader?.kill('SIGTERM');
  expect(await state.get('g', 'kept')).toBe('value');
  await state.set('g', 'kept', 'newer');
  await leader?.restart();
  expect(await state.get('g', 'kept')).toBe('newer');
});

test('more servers than there are is refused, with the setting to look at', async () => {
  await using broker = disposable(await connectTo(single.server.url, 3));
  await expect(ensureTopology(broker, names)).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
    message: expect.stringContaining('MOTIA_REPLICAS is 3'),
  });
});

const disposable = <T extends { close(): Promise<void> }>(it: T): T & AsyncDisposable =>
  Object.assign(it, { [Symbol.asyncDispose]: () => it.close() });
