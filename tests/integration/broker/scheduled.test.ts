/** Events that wait for their time, on a real broker: had at once by several at a time, each is had once. */
import { expect, test } from 'vitest';
import { EventStore } from '../../../shared/broker/events.ts';
import { ScheduledAdmin } from '../../../shared/broker/scheduled-admin.ts';
import { countOn } from '../../../shared/broker/stored-messages.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const HOUR_MS = 3_600_000;

test('of many who have an event at once one succeeds, and it comes once, as it was', async () => {
  const { broker, names } = await harness.app();
  const scheduled = new ScheduledAdmin(broker, names);
  const at = Date.now() + HOUR_MS;
  const event = { id: 'e 1', messageId: 'own', topic: 'a.b', json: '{"n":1}', traceparent: TRACEPARENT, group: 'g' };
  await new EventStore(broker, names).emit({ ...event, at });
  const { items } = await scheduled.list();
  const when = new Date(at).toISOString();
  expect(items).toEqual([{ id: expect.any(String), eventId: 'e 1', topic: 'a.b', at: when, data: { n: 1 } }]);
  const id = items[0]?.id as string;
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => scheduled.run(id)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const others = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
  expect(new Set(others)).toEqual(new Set(['NOT_FOUND']));

  const fired = () => countOn(broker, names.streams.scheduled, names.fires);
  await waitFor(async () => (await fired()).count > 0);
  const { count, first } = await fired();
  expect([count, first?.subject, Buffer.from(first?.data ?? []).toString()]).toEqual([
    1,
    names.fireEvent('a.b', 'g'),
    '{"n":1}',
  ]);
  const headers = Object.fromEntries([...(first?.headers ?? [])].map(([name, [value]]) => [name, value]));
  expect(headers).toMatchObject({ 'Motia-Event-Id': 'e 1', 'Motia-Group': 'g', traceparent: TRACEPARENT });
  expect(Number(headers['Motia-Emitted-At'])).toBeLessThan(at);
  expect((await scheduled.list()).items).toEqual([]);
  await expect(scheduled.remove(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
