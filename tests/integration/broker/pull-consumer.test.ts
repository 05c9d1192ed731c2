/** Taking messages: as many as there is room for, each until it is answered, whatever happens to the server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import {
  ACK_WAIT_MS,
  deleteConsumer,
  ensureConsumer,
  type Source,
  subscriptionSource,
} from '../../../shared/broker/consumers.ts';
import type { Delivery } from '../../../shared/broker/delivery.ts';
import { publishStored } from '../../../shared/broker/publish.ts';
import { PullConsumer } from '../../../shared/broker/pull-consumer.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const pullers: PullConsumer[] = [];
afterEach(() => {
  for (const puller of pullers.splice(0)) puller.close();
});

const text = (delivery: Delivery) => Buffer.from(delivery.data).toString();

interface Taker {
  puller: PullConsumer;
  held: Delivery[];
  taken: string[];
  /** Acks what is held and asks for more. */
  ackAll(): void;
}

/** A subscription with a puller that keeps what it gets. */
async function subscribe(
  broker: Broker,
  source: Source,
  room: number,
  onGone = () => {},
  oneByOne = false,
): Promise<Taker> {
  const held: Delivery[] = [];
  const taken: string[] = [];
  const puller = new PullConsumer(broker, {
    ...source,
    room: () => room - held.length,
    onDelivery: (delivery) => {
      held.push(delivery);
      taken.push(text(delivery));
    },
    onGone,
    oneByOne,
  });
  pullers.push(puller);
  puller.start();
  const ackAll = () => {
    const last = held.pop();
    for (const delivery of held.splice(0)) delivery.ack();
    if (last) puller.ackAndPull(last);
    else puller.pull();
  };
  return { puller, held, taken, ackAll };
}

async function openSource(events: Parameters<typeof harness.app>[0] = {}) {
  const { broker, names } = await harness.app(events);
  const source = subscriptionSource(names, { id: 'step' }, 'topic');
  await ensureConsumer(broker, source, 'step');
  return { broker, names, source };
}

async function emit(broker: Broker, names: Names, from: number, to: number): Promise<void> {
  const ids = Array.from({ length: to - from }, (_, i) => String(from + i));
  await Promise.all(ids.map((id) => publishStored(broker, names.event('topic'), id, { 'Nats-Msg-Id': id })));
}

const infoOf = (broker: Broker, { stream, durable }: Source) => broker.jsm.consumers.info(stream, durable);

test('takes no more than there is room for, and leaves the rest to others', async () => {
  const { broker, names, source } = await openSource();
  const first = await subscribe(broker, source, 5);
  await emit(broker, names, 0, 30);
  await waitFor(() => first.held.length === 5);
  await sleep(200);
  expect(first.taken).toEqual(['0', '1', '2', '3', '4']);
  const second = await subscribe(await harness.connect(), source, 10);
  await waitFor(() => second.held.length === 10);
  const { num_pending, num_ack_pending } = await infoOf(broker, source);
  expect([num_pending, num_ack_pending]).toEqual([15, 15]);
  first.ackAll();
  await waitFor(() => first.held.length === 5);
  expect(new Set([...first.taken, ...second.taken]).size).toBe(20);
});

test('all the room is used, also when it became free bit by bit', async () => {
  const { broker, names, source } = await openSource();
  const taker = await subscribe(broker, source, 10);
  await emit(broker, names, 0, 4);
  await waitFor(() => taker.held.length === 4);
  for (const delivery of taker.held.splice(0, 2)) delivery.ack();
  taker.puller.pull(); // two more are not worth a request while six are still to come
  await emit(broker, names, 4, 20);
  await waitFor(() => taker.held.length === 10, { within: 4_000 }); // and not when the broker next says that it lives
});

test('600 messages pass through a room of 7, each once', async () => {
  const { broker, names, source } = await openSource();
  const taker = await subscribe(broker, source, 7);
  await emit(broker, names, 0, 600);
  await waitFor(() => {
    taker.ackAll();
    return taker.taken.length >= 600;
  });
  expect(taker.taken).toEqual(Array.from({ length: 600 }, (_, i) => String(i)));
  await waitFor(async () => (await infoOf(broker, source)).num_ack_pending === 0);
});

test('one at a time: an ack brings the next one, without a request of its own', async () => {
  const { broker, names, source } = await openSource();
  await ensureConsumer(broker, { ...source, maxAckPending: 1 }, 'step');
  let requests = 0;
  const requested = `$JS.API.CONSUMER.MSG.NEXT.${source.stream}.${source.durable}`;
  broker.nc.subscribe(requested, { callback: () => void requests++ });
  const takers = [await subscribe(broker, source, 1), await subscribe(await harness.connect(), source, 1)];
  await emit(broker, names, 0, 50);
  const taken = () => takers.flatMap((taker) => taker.taken);
  await waitFor(() => {
    expect(takers.flatMap(({ held }) => held).length).toBeLessThanOrEqual(1);
    for (const { held, puller } of takers) for (const delivery of held.splice(0)) puller.ackAndPull(delivery);
    return taken().length === 50;
  });
  await waitFor(async () => (await infoOf(broker, source)).num_ack_pending === 0);
  expect(new Set(taken()).size).toBe(50);
  expect(requests).toBe(2); // the first of each
});

test('one at a time, of which many wait: one ack in many asks for more, all workers take part, and none of it comes back to one that stops', async () => {
  const { broker, names, source } = await openSource();
  const ordered = { ...source, maxAckPending: 1 };
  await ensureConsumer(broker, ordered, 'step');
  const watching = await harness.connect();
  let requests = 0;
  watching.nc.subscribe(`$JS.ACK.${source.stream}.${source.durable}.>`, {
    callback: (_, message) => void (message.string().startsWith('+NXT') && requests++),
  });
  await emit(broker, names, 0, 100);
  const deliveries: Delivery[] = [];
  const ackHeld = ({ held, puller }: Taker) => {
    for (const delivery of held.splice(0)) {
      deliveries.push(delivery);
      puller.ackAndPull(delivery);
    }
  };
  const brokers = [await harness.connect(), await harness.connect()];
  const leaving = await Promise.all(brokers.map((one) => subscribe(one, ordered, 1, undefined, true)));
  await waitFor(() => {
    expect(leaving.flatMap(({ held }) => held).length).toBeLessThanOrEqual(1);
    for (const taker of leaving) ackHeld(taker);
    return deliveries.length >= 40;
  });
  expect(Math.min(...leaving.map(({ taken }) => taken.length))).toBeGreaterThan(15);
  expect(requests).toBeLessThan(8);
  await waitFor(() => leaving.some(({ held }) => held.length > 0));
  for (const { puller } of leaving) puller.stop();
  for (const taker of leaving) ackHeld(taker);
  for (let n = 0; n < 5; n++) await Promise.all(brokers.map((one) => one.flush()));
  const staying = await subscribe(await harness.connect(), ordered, 1, undefined, true);
  await waitFor(() => {
    ackHeld(staying);
    return deliveries.length === 100;
  });
  expect(deliveries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  expect(Math.max(...deliveries.map(({ deliveryCount }) => deliveryCount))).toBeLessThanOrEqual(2);
});

test('a consumer that is not there, or has no leader: it is asked again until it answers, whoever makes it', async () => {
  const { broker, names } = await harness.app();
  const source = subscriptionSource(names, { id: 'step' }, 'topic');
  let told = 0;
  const taker = await subscribe(broker, source, 5, () => void told++);
  await waitFor(() => told > 2);
  await ensureConsumer(await harness.connect(), source, 'step');
  await emit(broker, names, 0, 5);
  await waitFor(() => taker.taken.length === 5);
  expect(taker.taken).toEqual(['0', '1', '2', '3', '4']);
});

test('what arrives after the stop is handed back, and is with another at once', async () => {
  const { broker, names, source } = await openSource();
  await emit(broker, names, 0, 100);
  const taken: Delivery[] = [];
  const leaving = new PullConsumer(broker, {
    ...source,
    room: () => 100,
    onDelivery(delivery) {
      taken.push(delivery);
      leaving.stop(); // the others are on their way
    },
    onGone: () => {},
  });
  pullers.push(leaving);
  leaving.start();
  await waitFor(() => taken.length > 0);
  const staying = await subscribe(await harness.connect(), source, 200);
  await waitFor(() => staying.taken.length === 99, { within: ACK_WAIT_MS / 2 }); // and not after it
  expect(staying.held.some(({ deliveryCount }) => deliveryCount === 2)).toBe(true);
  expect(taken.length).toBe(1);
});

test('what is emitted later goes to those that have not stopped', async () => {
  const { broker, names, source } = await openSource();
  const leaving = await subscribe(broker, source, 50);
  await broker.flush(); // its request is with the server
  leaving.puller.stop();
  const staying = await subscribe(await harness.connect(), source, 200);
  await emit(broker, names, 0, 100);
  await waitFor(() => staying.taken.length === 100, { within: ACK_WAIT_MS / 2 }); // and not after it
  expect(leaving.taken).toEqual([]);
});

test('one that is handed back waits, and counts its deliveries', async () => {
  const { broker, names, source } = await openSource();
  const taker = await subscribe(broker, source, 1);
  await emit(broker, names, 0, 1);
  const first = await waitFor(() => taker.held.shift());
  const at = Date.now();
  first.handBack(400);
  taker.puller.pull();
  const second = await waitFor(() => taker.held.shift());
  expect(Date.now() - at).toBeGreaterThanOrEqual(395);
  expect([first.deliveryCount, second.deliveryCount, second.sequence]).toEqual([1, 2, first.sequence]);
  second.handBack();
  taker.puller.pull();
  const third = await waitFor(() => taker.held.shift());
  third.terminate();
  await waitFor(async () => (await infoOf(broker, source)).num_ack_pending === 0);
});

test('working() keeps a message, and silence gives it to another', async () => {
  const { broker, names, source } = await openSource();
  const ackWaitMs = 1_000;
  await ensureConsumer(broker, { ...source, ackWaitMs }, 'step');
  const busy = await subscribe(broker, source, 2);
  await emit(broker, names, 0, 2);
  await waitFor(() => busy.held.length === 2);
  const other = await subscribe(await harness.connect(), source, 5);
  const [kept] = busy.held as [Delivery, Delivery];
  const until = Date.now() + 2.5 * ackWaitMs;
  while (Date.now() < until) {
    await kept.working();
    await sleep(ackWaitMs / 5);
  }
  expect(new Set(other.taken)).toEqual(new Set(['1']));
  kept.ack();
  await waitFor(async () => (await infoOf(broker, source)).num_ack_pending === 1);
});

test('a server that is killed and started again: everything comes, also what was taken before', async () => {
  const { broker, names, source } = await openSource({
    onReconnect: () => {
      for (const puller of pullers) puller.restart();
    },
  });
  const taker = await subscribe(broker, source, 10);
  await emit(broker, names, 0, 100);
  await waitFor(() => taker.held.length === 10);
  for (let round = 1; round <= 3; round++) {
    await harness.crash(50);
    await emit(broker, names, round * 100, (round + 1) * 100);
  }
  await waitFor(() => {
    taker.ackAll();
    return new Set(taker.taken).size === 400;
  });
  await waitFor(
    async () => {
      taker.ackAll();
      const { num_pending, num_ack_pending } = await infoOf(broker, source);
      return num_pending + num_ack_pending === 0;
    },
    { within: 15_000 }, // an ack that the dying server swallowed is asked for again after the ack wait
  );
});

test('a consumer that is deleted under way is told, and goes on when it is there again', async () => {
  const { broker, names, source } = await openSource();
  let gone = 0;
  const taker = await subscribe(broker, source, 5, () => {
    gone++;
    void ensureConsumer(broker, source, 'step').then(() => taker.puller.restart());
  });
  await emit(broker, names, 0, 3);
  await waitFor(() => taker.taken.length === 3);
  taker.ackAll();
  await broker.flush();
  await deleteConsumer(broker, source);
  await waitFor(() => gone > 0);
  await waitFor(async () => (await infoOf(broker, source)) !== undefined);
  await emit(broker, names, 3, 6);
  await waitFor(() => taker.taken.length === 6);
});
