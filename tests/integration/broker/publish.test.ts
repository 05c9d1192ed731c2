/** Storing messages: once, honestly refused when there is no room, and not lost when the server goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { publishStored } from '../../../shared/broker/publish.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();

const store = (broker: Broker, subject: string, id: string, data = id) =>
  publishStored(broker, subject, data, { 'Nats-Msg-Id': id });

/** What a stream holds, in its order. */
async function contents(broker: Broker, stream: string): Promise<string[]> {
  const { state } = await broker.jsm.streams.info(stream);
  const count = state.messages === 0 ? 0 : state.last_seq - state.first_seq + 1;
  const found = await Promise.all(
    Array.from({ length: count }, (_, i) => broker.jsm.streams.getMessage(stream, { seq: state.first_seq + i })),
  );
  return found.flatMap((message) => (message ? [message.string()] : []));
}

test('the same id is stored once', async () => {
  const { broker, names } = await harness.app();
  const subject = names.dead('step');
  await store(broker, subject, 'a', '1');
  await store(broker, subject, 'a', '2');
  await Promise.all(Array.from({ length: 100 }, () => store(broker, subject, 'b')));
  expect(await contents(broker, names.streams.dead)).toEqual(['1', 'b']);
});

test.each([
  ['by bytes', { max_bytes: 10_000 }],
  ['by messages', { max_msgs: 5 }],
])('a stream that is full %s refuses, and drops nothing that it has acknowledged', async (_, limit) => {
  const { broker, names } = await harness.app();
  // An interest stream keeps what a consumer has not acknowledged.
  await broker.jsm.streams.update(names.streams.events, limit);
  await broker.jsm.consumers.add(names.streams.events, { durable_name: 'slow', ack_policy: 'explicit' });
  const stored: string[] = [];
  let refusal: unknown;
  for (let i = 0; i < 200 && refusal === undefined; i++) {
    const text = `${i} ${'x'.repeat(500)}`;
    await store(broker, names.event('t'), `id${i}`, text).then(
      () => stored.push(text),
      (error) => {
        refusal = error;
      },
    );
  }
  expect(refusal).toMatchObject({ code: 'STORE_FULL', message: expect.stringContaining('no room') });
  expect(stored.length).toBeGreaterThan(3);
  expect(await contents(broker, names.streams.events)).toEqual(stored);
});

test('a subject without a stream is told as such within the time that is ridden out', async () => {
  const { broker } = await harness.app();
  const started = Date.now();
  const outcome = await Promise.race([
    store(broker, 'nobody.listens', 'a').catch((error) => error.code),
    sleep(1_000).then(() => 'still trying'),
  ]);
  expect(outcome).toBe('still trying'); // it may be a server that is still starting
  expect(Date.now() - started).toBeGreaterThan(900);
});

test('32 publishers ride out three crashes: what was acknowledged is there, and nothing twice', async () => {
  let reconnects = 0;
  const { broker, names } = await harness.app({ onReconnect: () => reconnects++ });
  const subject = names.dead('step');
  const acked: string[] = [];
  let going = true;
  const publishers = Array.from({ length: 32 }, async (_, publisher) => {
    for (let i = 0; going; i++) {
      const id = `${publisher}.${i}`;
      await store(broker, subject, id);
      acked.push(id);
    }
  });
  for (let crash = 0; crash <= 3; crash++) {
    const before = acked.length;
    await waitFor(() => acked.length > before + 200);
    if (crash < 3) await harness.crash(50);
  }
  going = false;
  await Promise.all(publishers); // none has failed
  expect(reconnects).toBe(3);
  const { state } = await broker.jsm.streams.info(names.streams.dead);
  expect(state.messages).toBe(acked.length);
  expect(new Set(await contents(broker, names.streams.dead))).toEqual(new Set(acked));
});
