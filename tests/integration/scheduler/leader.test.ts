/** Who leads the schedulers: one at a time, and another one soon when it is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { LEASE_MS, Leader } from '../../../scheduler/leader.ts';
import { writeEntry } from '../../../shared/broker/key-value.ts';
import { createLogger } from '../../../shared/logger.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';

const harness = useNatsServer();
const log = createLogger({ level: 'error', pretty: false, destination: { write: () => {} } });
const leaders: Leader[] = [];
afterEach(async () => {
  await Promise.all(leaders.splice(0).map((leader) => leader.stop()));
});

async function candidate(names: Names): Promise<{ leader: Leader; disconnect: () => Promise<void> }> {
  const broker = await harness.connect();
  const leader = new Leader(broker, names, log);
  leaders.push(leader);
  leader.start();
  return { leader, disconnect: () => broker.nc.close() };
}

test('of five that start together one leads, and keeps the lead', async () => {
  const { names } = await harness.app();
  const candidates = await Promise.all(Array.from({ length: 5 }, () => candidate(names)));
  const leading = () => candidates.filter(({ leader }) => leader.leads());
  const [first] = await waitFor(() => (leading().length > 0 ? leading() : undefined));
  for (const end = Date.now() + 1.5 * LEASE_MS; Date.now() < end; await sleep(20)) {
    expect(leading()).toEqual([first]);
  }
});

test('one that stops hands over at once', async () => {
  const { names } = await harness.app();
  const first = await candidate(names);
  await waitFor(() => first.leader.leads());
  const second = await candidate(names);
  await first.leader.stop();
  expect(first.leader.leads()).toBe(false);
  await waitFor(() => second.leader.leads(), { within: LEASE_MS - 500 });
});

test('one that is lost is replaced when its lease is over, and never sooner', async () => {
  const { names } = await harness.app();
  const first = await candidate(names);
  await waitFor(() => first.leader.leads());
  const second = await candidate(names);
  leaders.splice(leaders.indexOf(first.leader), 1); // it cannot be stopped in order any more
  await first.disconnect();
  const led = { until: 0 };
  await waitFor(
    () => {
      const [old, young] = [first.leader.leads(), second.leader.leads()];
      expect(old && young).toBe(false);
      if (old) led.until = Date.now();
      return young;
    },
    { every: 5 },
  );
  expect(led.until).toBeGreaterThan(0);
});

test('one whose lease somebody else has taken does not lead any more, and another term begins with the next lease', async () => {
  const { broker, names } = await harness.app();
  const { leader } = await candidate(names);
  await waitFor(() => leader.leads());
  expect(leader.term).toBe(1);
  await writeEntry(broker, names.buckets.leases, names.schedulerLease, 'another', { 'Nats-TTL': '2s' });
  await waitFor(() => !leader.leads());
  await waitFor(() => leader.leads());
  expect(leader.term).toBe(2);
});
