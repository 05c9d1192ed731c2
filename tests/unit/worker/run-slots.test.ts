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
  broker.queue(7, 1_000);
  expect(handler.tryStart(7)).toBe(true);
  expect(handler.tryStart(7)).toBe(false);
  expect(broker.tryWithdraw(7)).toBe(false);
});

test('a withdrawn run is not started, and its slot serves the next one', () => {
  const { broker, handler } = sides();
  broker.queue(7, 1_000);
  expect(broker.tryWithdraw(7)).toBe(true);
  expect(broker.tryWithdraw(7)).toBe(false);
  expect(handler.tryStart(7)).toBe(false);
  broker.free(7);
  expect(handler.tryStart(7)).toBe(false);
  broker.queue(7, 1_000);
  expect(handler.tryStart(7)).toBe(true);
});

test('first and last slot are apart from each other and from everything else', () => {
  const { broker, handler } = sides();
  const last = SLOTS_PER_THREAD - 1;
  broker.queue(0, 10);
  broker.queue(last, 20);
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
  broker.queue(1, now + 1);
  expect(handler.leased(1, now + 1)).toBe(false);
  broker.lease(1, now + 10_000);
  expect(handler.leased(1, now + 9_999)).toBe(true);
  broker.lease(1, 0);
  expect(handler.leased(1, now)).toBe(false);
  broker.queue(1, Number.POSITIVE_INFINITY);
  expect(handler.leased(1, Number.MAX_SAFE_INTEGER)).toBe(true);
});

test('the run that has the processor is the last that started or came back from an operation', () => {
  const { broker, handler } = sides();
  for (const slot of [3, 5]) broker.queue(slot, 1);
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
    const state = new Int32Array(buffer, slots * 16, slots);
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
    slots.queue(slot, 1);
    for (let spin = slot % 40; spin > 0; spin--) slots.current();
    if (slots.tryWithdraw(slot)) withdrawn++;
  }
  const started = (await answer) as number;
  await worker.terminate();
  expect(started + withdrawn).toBe(rounds);
});
