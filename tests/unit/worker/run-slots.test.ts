/** The memory that broker thread and handler thread share: who gets a run, and until when it may act. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { RunSlots, SLOTS_PER_THREAD } from '../../../worker/threads/run-slots.ts';

/** Both sides of the same memory. */
function sides(): { broker: RunSlots; handler: RunSlots } {
  const broker = new RunSlots();
  return { broker, handler: new RunSlots(broker.buffer) };
}

test('a queued run is started once', () => {
  const { broker, handler } = sides();
  broker.queue(7, 1_000, 0);
  expect(handler.tryStart(7)).toBe(true);
  expect(handler.tryStart(7)).toBe(false);
  expect(broker.tryWithdraw(7)).toBe(false);
});

test('a withdrawn run is not started, and its slot serves the next one', () => {
  const { broker, handler } = sides();
  broker.queue(7, 1_000, 0);
  expect(broker.tryWithdraw(7)).toBe(true);
  expect(broker.tryWithdraw(7)).toBe(false);
  expect(handler.tryStart(7)).toBe(false);
  broker.free(7);
  expect(handler.tryStart(7)).toBe(false);
  broker.queue(7, 1_000, 0);
  expect(handler.tryStart(7)).toBe(true);
});

test('first and last slot are apart from each other and from everything else', () => {
  const { broker, handler } = sides();
  const last = SLOTS_PER_THREAD - 1;
  broker.queue(0, 10, 0);
  broker.queue(last, 20, 0);
  expect(handler.tryStart(last)).toBe(true);
  expect(broker.current()).toBe(last);
  expect(broker.tryWithdraw(0)).toBe(true);
  expect([handler.leased(0, 9), handler.leased(0, 10), handler.leased(last, 19), handler.leased(last, 20)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test('a lease is renewed, ended, and may be without end', () => {
  const { broker, handler } = sides();
  const now = Date.now();
  broker.queue(1, now + 1, 0);
  expect(handler.leased(1, now + 1)).toBe(false);
  broker.lease(1, now + 10_000);
  expect(handler.leased(1, now + 9_999)).toBe(true);
  broker.lease(1, 0);
  expect(handler.leased(1, now)).toBe(false);
  broker.queue(1, Number.POSITIVE_INFINITY, 0);
  expect(handler.leased(1, Number.MAX_SAFE_INTEGER)).toBe(true);
});

test('the run that has the processor is the last that started or came back from an operation', () => {
  const { broker, handler } = sides();
  for (const slot of [3, 5]) broker.queue(slot, 1, 0);
  handler.tryStart(3);
  handler.tryStart(5);
  expect(broker.current()).toBe(5);
  handler.enter(3);
  expect(broker.current()).toBe(3);
});

test('every run goes to exactly one side when both reach for it at the same time', async () => {
  const rounds = 200;
  const slots = new RunSlots();
  // The other side in plain JavaScript, which knows where the states are: it starts what it finds queued (1 → 2), slot by slot, round by round.
  const code = `
    const { workerData: { buffer, slots, rounds }, parentPort } = require('node:worker_threads');
    const state = new Int32Array(buffer, slots * 24, slots);
    let started = 0;
    parentPort.postMessage('ready');
    for (let slot = 0; slot < rounds; slot++) {
      for (;;) {
        if (Atomics.compareExchange(state, slot, 1, 2) === 1) { started++; break; }
        if (Atomics.load(state, slot) === 3) break;
      }
    }
    parentPort.postMessage(started);
  `;
  const worker = new Worker(code, {
    eval: true,
    workerData: { buffer: slots.buffer, slots: SLOTS_PER_THREAD, rounds },
  });
  const message = () => new Promise((resolve) => worker.once('message', resolve));
  await message();
  let withdrawn = 0;
  const answer = message();
  for (let slot = 0; slot < rounds; slot++) {
    slots.queue(slot, 1, 0);
    for (let spin = slot % 40; spin > 0; spin--) slots.current();
    if (slots.tryWithdraw(slot)) withdrawn++;
  }
  const started = (await answer) as number;
  await worker.terminate();
  expect(started + withdrawn).toBe(rounds);
});

test('the broker side reads the span of a run, but not that of the run before', () => {
  const { broker, handler } = sides();
  const [first, last] = [
    '00-0199a0b1c2d30e4f5a6b7c8d9e0f1ac5-0123456789abcdef-01',
    `00-${'f'.repeat(32)}-${'e'.repeat(16)}-00`,
  ];
  broker.queue(0, 1_000, 0);
  broker.queue(SLOTS_PER_THREAD - 1, 1_000, 0);
  expect([broker.span(0), broker.span(SLOTS_PER_THREAD - 1)]).toEqual([undefined, undefined]);
  handler.tellSpan(0, first as string);
  handler.tellSpan(SLOTS_PER_THREAD - 1, last as string);
  expect([broker.span(0), broker.span(SLOTS_PER_THREAD - 1)]).toEqual([first, last]);
  broker.queue(0, 1_000, 0);
  expect(broker.span(0)).toBe(undefined);
});

test('a run knows how long its message had waited; never less than nothing', () => {
  const { broker, handler } = sides();
  broker.queue(1, 1_000, Date.now() - 60_000);
  broker.queue(2, 1_000, Date.now() + 60_000);
  for (const slot of [1, 2]) handler.tryStart(slot);
  expect(handler.waitedMs(1)).toBeGreaterThanOrEqual(60_000);
  expect(handler.waitedMs(1)).toBeLessThan(120_000);
  expect(handler.waitedMs(2)).toBe(0);
});
