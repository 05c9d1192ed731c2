/** The context for handlers that a test calls by itself, and the mocks in it. */
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import type { ApiRouteHandler, EventHandler, FlowContext } from '../../../index.ts';
import { toMilliseconds } from '../../../testing/duration.ts';
import { type ContextOf, createMockContext, createMockFunction, createMockLogger } from '../../../testing/index.ts';

describe('mock functions', () => {
  test('are mocks to whoever expects something of them', async () => {
    const add = createMockFunction('add', (a: number, b: number) => a + b);
    expect(vi.isMockFunction(add)).toBe(true);
    expect(add(1, 2)).toBe(3);
    expect(add).toHaveBeenCalledWith(1, 2);
    expect(add).toHaveReturnedWith(3);
    add.mockImplementationOnce(() => {
      throw new Error('once');
    });
    expect(() => add(0, 0)).toThrow('once');
    expect(add.mock.results.map(({ type }) => type)).toEqual(['return', 'throw']);
    expect(add.mockReturnValue(7)(1, 1)).toBe(7);
    expect(add.mock.lastCall).toEqual([1, 1]);
    expect(add.mockReset()(1, 1)).toBe(2);
    expect(add).toHaveBeenCalledTimes(1);
    const load = createMockFunction('load', async (_: string) => 'usual');
    load.mockResolvedValueOnce('first').mockRejectedValueOnce(new Error('second'));
    expect(await load('a')).toBe('first');
    await expect(load('b')).rejects.toThrow('second');
    expect(await load('c')).toBe('usual');
  });
});

describe('the context', () => {
  test('keeps state in memory', async () => {
    const { state } = createMockContext({ state: { users: { a: { n: 1 } } } });
    const given = { list: [1] };
    await state.set('users', 'b', given);
    given.list.push(2);
    expect(await state.get('users', 'b')).toEqual({ list: [1] });
    expect(await state.get('users', 'c')).toBeNull();
    expect(await state.update('users', 'a', [{ type: 'increment', path: 'n' }])).toEqual({ n: 2 });
    expect(await state.update<number>('users', 'd', (n) => (n ?? 0) + 1)).toBe(1);
    const { revision = 0 } = (await state.getEntry('users', 'a')) ?? {};
    await expect(state.set('users', 'a', 0, { ifRevision: revision + 1 })).rejects.toMatchObject({ revision });
    expect(await state.delete('users', 'a')).toEqual({ n: 2 });
    expect(await state.getGroup('users')).toEqual([{ list: [1] }, 1]);
    expect(await state.listGroups()).toEqual({ items: [{ group: 'users', keys: 2 }] });
    await state.clear('users');
    expect(await state.getGroupPage('users')).toEqual({ items: [] });
    expect(state.get).toHaveBeenCalledTimes(2);
  });

  test('has any stream', async () => {
    const { streams } = createMockContext();
    const stored = await streams.chat?.set('room', 'm1', { text: 'hi' });
    expect(stored).toMatchObject({ text: 'hi', id: 'm1', __motia: { streamName: 'chat', groupId: 'room' } });
    await streams.chat?.update('room', 'm1', [{ type: 'set', path: 'text', value: 'ho' }]);
    expect(await streams.chat?.getGroup('room')).toMatchObject([{ text: 'ho', _createdAt: stored?._createdAt }]);
    expect(streams.chat?.set).toHaveBeenCalledOnce();
    expect(await streams.other?.get('room', 'm1')).toBeNull();
  });

  test('fits handlers of every type', async () => {
    type Created = { topic: 'created'; data: { id: string } };
    const emits: EventHandler<{ id: string }, Created> = async ({ id }, ctx) => {
      await ctx.emit({ topic: 'created', data: { id } });
      ctx.logger.child({ id }).info('done');
    };
    const silent: ApiRouteHandler<unknown, { status: 200 }> = () => ({ status: 200 });
    const ctx = createMockContext({ attempt: 2, emit: () => Promise.reject(new Error('full')) });
    await expect(emits({ id: '1' }, ctx)).rejects.toThrow('full');
    ctx.emit.mockResolvedValue(undefined);
    await emits({ id: '2' }, ctx);
    expect(silent({} as Parameters<typeof silent>[0], ctx)).toEqual({ status: 200 });
    expect(ctx.emitted('created')).toHaveLength(2);
    expect([ctx.attempt, ctx.signal.aborted, ctx.traceId]).toEqual([2, false, expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(ctx.logger.info.mock.calls).toEqual([['done']]);
    expectTypeOf<ContextOf<typeof emits>>().toEqualTypeOf<FlowContext<Created>>();
  });

  test('takes mocks of the test', async () => {
    const logger = createMockLogger();
    const get = async <T>() => 'always' as T;
    const ctx = createMockContext({ logger, state: { get }, traceId: 'mock-trace-id' });
    ctx.logger.warn('careful', { n: 1 });
    expect(logger.warn).toHaveBeenCalledWith('careful', { n: 1 });
    expect([await ctx.state.get('a', 'b'), ctx.traceId]).toEqual(['always', 'mock-trace-id']);
  });
});

test('lengths of time', () => {
  expect(['500ms', '90s', '1h 30m', '2d', '1.5s', '1w', 7].map(toMilliseconds)).toEqual([
    500, 90_000, 5_400_000, 172_800_000, 1_500, 604_800_000, 7,
  ]);
  for (const wrong of ['', 'soon', '5', '1h and more', -1, Number.NaN]) {
    expect(() => toMilliseconds(wrong)).toThrow('is no length of time');
  }
});
