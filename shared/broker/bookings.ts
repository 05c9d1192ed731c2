/**
 * Bookings: what workers store that may make no schedules, because whoever may can have the broker publish to any subject of its stream. The
 * subject of a booking says what is to be delivered, so that the broker has checked it; a scheduler makes the schedule.
 */
import type pino from 'pino';
import { MotiaError } from '../errors.ts';
import { Header } from '../protocol/headers.ts';
import { type Names, partsOfBooking } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import { ACK_WAIT_MS, type Source } from './consumers.ts';
import type { Delivery } from './delivery.ts';
import { publishFirst, publishStored } from './publish.ts';
import { PullConsumer } from './pull-consumer.ts';
import { schedule } from './schedule.ts';

const AT_A_TIME = 64;
const TRY_AGAIN_MS = 1_000;
/** Headers that a booking passes on. Those of the broker are not among them: they could name another target. */
const OWN_HEADER = /^(Motia-|traceparent$)/;

/** Where schedulers take bookings from. */
export const bookingSource = (names: Names): Source => ({
  stream: names.bookingStream,
  durable: 'schedulers',
  filters: [names.bookings],
  ackWaitMs: ACK_WAIT_MS,
  maxAckPending: 1_000,
});

/** Makes schedules of bookings until the returned function is called. Any number of processes may. */
export function relayBookings(broker: Broker, names: Names, log: pino.Logger): () => Promise<void> {
  const { stream, durable, ackWaitMs } = bookingSource(names);
  let held = 0;
  const puller = new PullConsumer(broker, {
    ...{ stream, durable, ackWaitMs },
    room: () => AT_A_TIME - held,
    onDelivery: (delivery) => {
      held++;
      relay(broker, names, delivery)
        .then(() => delivery.ack())
        .catch((error) => {
          if (error instanceof MotiaError && error.code === 'INVALID_VALUE') {
            log.error({ action: 'booking_malformed', err: error }, 'What is no booking was dropped');
            delivery.terminate();
            return;
          }
          log.warn({ action: 'booking_left', err: error }, 'A delayed delivery could not be scheduled; trying again');
          delivery.handBack(TRY_AGAIN_MS);
        })
        .finally(() => {
          held--;
          puller.pull();
        });
    },
    onGone: () => setTimeout(() => puller.restart(), TRY_AGAIN_MS).unref(),
  });
  puller.start();
  return async () => {
    puller.stop();
    if (broker.connected()) await broker.flush().catch(() => {});
    puller.close();
  };
}

/** Had twice, it makes one schedule: by its message id, and where there is one of that name already. */
async function relay(broker: Broker, names: Names, { subject, headers, data }: Delivery): Promise<void> {
  const get = (name: string) => headers?.get(name) ?? '';
  const booked = partsOfBooking(names, subject);
  const at = Number(get(Header.deliverAt));
  const messageId = get(Header.messageId);
  if (!booked || !Number.isFinite(at) || messageId === '') {
    throw new MotiaError('INVALID_VALUE', `the message on ${subject} is no booking`);
  }
  const own = [...(headers ?? [])].filter(([name]) => OWN_HEADER.test(name) && name !== Header.deliverAt);
  const passed = {
    ...Object.fromEntries(own.map(([name, [value = '']]) => [name, value])),
    ...schedule(at, booked.target),
    [Header.messageId]: messageId,
  };
  if (booked.durable === undefined) await publishFirst(broker, names.delayed(messageId), data, passed);
  else {
    const id = `${get(Header.eventId)}:${get(Header.attempt)}`;
    await publishStored(broker, names.schedule(booked.durable, id), data, passed);
  }
}
