/** Right and wrong uses of `update`, for the compiler: it must find an error where one is expected. */
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
  const item = await chat.update('room', '1', (current) => ({ text: `${current?.text} ${current?.id}` }));
  // @ts-expect-error it would not be an item any more
  await chat.update('room', '1', () => null);
  return sum + item.id.length + (item._createdAt ?? 0);
}
