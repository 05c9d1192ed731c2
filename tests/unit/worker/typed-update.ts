/** Right and wrong uses of state, for the compiler: it must find an error where one is expected. */
import type { MotiaStream, StateManager } from '../../../shared/types.ts';

export async function typed(state: StateManager, chat: MotiaStream<{ text: string }>): Promise<number> {
  const sum: number = await state.update('g', 'n', (n: number | null) => (n ?? 0) + 1);
  await state.update<string[]>('g', 'list', async (list) => [...(list ?? []), 'new']);
  await state.update('g', 'n', [
    { type: 'increment', path: 'a.b', by: 2 },
    { type: 'remove', path: 'c' },
  ]);
  // @ts-expect-error there is no such operation
  await state.update('g', 'n', [{ type: 'append', value: 1 }]);
  // @ts-expect-error a part has to be named
  await state.update('g', 'n', [{ type: 'remove' }]);
  // @ts-expect-error the new value has to be returned
  await state.update<number>('g', 'n', (n) => void n);
  const entry = await state.getEntry<{ n: number }>('g', 'k');
  await state.set('g', 'k', { n: 1 }, { ttl: 60, ifRevision: entry?.revision ?? 0 });
  // @ts-expect-error there may be nothing
  entry.value.n.toFixed();
  // @ts-expect-error there is no such option
  await state.set('g', 'k', 1, { seconds: 60 });
  const { items, next } = await state.getGroupPage<number>('g', { limit: 10 });
  const keys: string[] = items.map(({ key, value }) => `${key}${value.toFixed()}`);
  keys.push(...(await state.listGroups({ after: next })).items.map(({ group, keys }) => `${group}${keys}`));
  const item = await chat.update('room', '1', (current) => ({ text: `${current?.text} ${current?.id}` }));
  // @ts-expect-error it would not be an item any more
  await chat.update('room', '1', () => null);
  return sum + item.id.length + (item._createdAt ?? 0);
}
