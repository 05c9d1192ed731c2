/** State of who may ask for single groups only, by requests to servers that are behind the leader, or lose an answer. */
import type { Msg } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { OWN_GROUPS } from '../../../shared/broker/confined-key-value.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();

type Request = Broker['mux']['request'];
type Requests = Pick<Broker['mux'], 'request' | 'requestDeliveries'>;

/** A connection to a server with replicas, some answers of which are others than those of the real one. */
function replicated(broker: Broker, changed: (real: Requests) => Partial<Requests>): Broker {
  const { mux } = broker;
  const real: Requests = {
    request: mux.request.bind(mux) as Request,
    requestDeliveries: mux.requestDeliveries.bind(mux),
  };
  return { ...broker, replicas: 3, mux: { ...real, ...changed(real) } as Broker['mux'] };
}

test('what was acknowledged is read, whoever answers with what was there before', async () => {
  const { broker, names } = await harness.app();
  const writer = new StateStore(broker, names);
  const known = new Map<string, Msg>();
  let staleAnswers = 0;
  const behind = replicated(broker, ({ request }) => ({
    request: (async (subject: string, ...rest: [string]) => {
      if (!subject.startsWith('$JS.API.DIRECT.GET.')) return request(subject, ...rest);
      const before = known.get(subject);
      if (before && staleAnswers-- > 0) return before;
      const now = await request(subject, ...rest);
      known.set(subject, now);
      return now;
    }) as Request,
  }));
  const reader = new StateStore(behind, names, OWN_GROUPS);
  for (let n = 1; n <= 5; n++) {
    await writer.set('g', 'k', n);
    staleAnswers = 3;
    expect(await reader.get('g', 'k')).toBe(n);
    expect(await reader.update('g', 'k', (value) => [value])).toEqual([n]);
  }
  await writer.delete('g', 'k');
  staleAnswers = 3;
  expect(await reader.get('g', 'k')).toBeNull();
});

test('a group is removed with all that was acknowledged, also where that is not known yet', async () => {
  const { broker, names } = await harness.app();
  let ignorant = 3;
  const behind = replicated(broker, ({ request }) => ({
    request: ((subject: string, data: string, options: object, read: (reply: unknown) => unknown) => {
      const knowsNothing = subject.startsWith('$JS.API.CONSUMER.CREATE.') && ignorant-- > 0;
      return knowsNothing ? read({ json: () => ({ num_pending: 0 }) }) : request(subject, data, options, read);
    }) as Request,
  }));
  const state = new StateStore(behind, names, OWN_GROUPS);
  for (const key of ['a', 'b', 'c']) await state.set('g', key, key);
  await state.set('other', 'k', 1);
  await state.clear('g');
  expect(ignorant).toBeLessThan(0);
  expect(await new StateStore(broker, names).getGroup('g')).toEqual([]);
  expect(await state.getGroup('other')).toEqual([1]);
});

test.each([
  ['one in the middle', (replies: Msg[]) => replies.splice(1, 1)],
  ['the first one', (replies: Msg[]) => replies.splice(0, 1)],
  ['the last one', (replies: Msg[]) => replies.splice(-2, 1)],
  ['all', (replies: Msg[]) => replies.splice(0, replies.length - 1)],
])('a group comes whole, although of its entries %s is lost on the way', async (_, lose) => {
  const { broker, names } = await harness.app();
  let losses = 1;
  const lossy = replicated(broker, ({ requestDeliveries }) => ({
    requestDeliveries: async (...args) => {
      const replies = await requestDeliveries(...args);
      if (losses-- > 0) lose(replies);
      return replies;
    },
  }));
  const state = new StateStore(lossy, names, OWN_GROUPS);
  for (const key of ['a', 'b', 'c']) await state.set('g', key, key);
  expect(((await state.getGroup('g')) as string[]).sort()).toEqual(['a', 'b', 'c']);
  expect(losses).toBeLessThanOrEqual(0);
});
