/** What health says, and when. */
import { expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { Ops } from '../../../shared/ops.ts';

const broker = (state: { connected: boolean; closed: boolean }) =>
  ({ connected: () => state.connected, closed: () => state.closed }) as Broker;

async function answers(ops: Ops) {
  const [live, ready] = await Promise.all([ops.answer('/health/live', ''), ops.answer('/health/ready', '')]);
  return [live?.status, ready?.status, JSON.parse(ready?.body ?? '').reasons ?? []];
}

test('a process is ready when it has all that it needs, and alive as long as a restart would not help', async () => {
  const state = { connected: true, closed: false };
  const ops = new Ops('shop', 'worker');
  let serves = false;
  ops.health.readyIf(() => (serves ? undefined : 'nothing is served yet'));
  expect(await answers(ops)).toEqual([200, 503, ['it has not connected to the broker yet', 'nothing is served yet']]);
  ops.watch(broker(state));
  serves = true;
  expect(await answers(ops)).toEqual([200, 200, []]);
  state.connected = false;
  expect(await answers(ops)).toEqual([200, 503, ['the connection to the broker is lost']]);
  state.closed = true;
  expect((await answers(ops)).slice(0, 2)).toEqual([503, 503]);
});

test('a process that is to end is not ready, and is left alone', async () => {
  const state = { connected: true, closed: false };
  const ops = new Ops('shop', 'worker');
  ops.watch(broker(state));
  ops.health.drain();
  state.connected = false;
  state.closed = true;
  expect(await answers(ops)).toEqual([200, 503, ['it is shutting down']]);
});

test('there is nothing else', async () => {
  expect(await new Ops('shop', 'worker').answer('/health', '')).toBeUndefined();
});
