/** What `update` is given, as a function that is called for its run: on behalf of others, and perhaps too late. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { ActiveRun, type RunIdentity } from '../../../worker/handler/active-run.ts';
import { toValueChange } from '../../../worker/handler/operation.ts';
import { RunSlots } from '../../../worker/threads/run-slots.ts';

function startRun(): ActiveRun {
  const slots = new RunSlots();
  slots.queue(0, Date.now() + 60_000, 0);
  slots.tryStart(0);
  return new ActiveRun({ slot: 0 } as RunIdentity, slots, () => {});
}

test('a run that was given up meanwhile changes nothing', async () => {
  const run = startRun();
  let calls = 0;
  const changes = [toValueChange(run, [{ type: 'increment' }]), toValueChange(run, () => ++calls)];
  expect(await Promise.all(changes.map((change) => change(1)))).toEqual([2, 1]);
  run.fence('it took too long');
  for (const change of changes) {
    await expect(change(1)).rejects.toMatchObject({ code: 'RUN_OVER', message: 'this run is over: it took too long' });
  }
  expect(calls).toBe(1);
});

test('a function belongs to its run, whoever calls it', async () => {
  const where = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const change = where.run('its own', () => toValueChange(startRun(), () => seen.push(where.getStore())));
  await where.run('of another', () => change(null));
  expect(seen).toEqual(['its own']);
});

test('what is no change is refused', () => {
  for (const wrong of [undefined, null, 1, 'increment', { type: 'increment' }]) {
    expect(() => toValueChange(startRun(), wrong as never)).toThrow(/a function .* or a list of operations/);
  }
});

test('a function that returns nothing is told to return the new value', async () => {
  await expect(toValueChange(startRun(), () => undefined)(1)).rejects.toThrow(/has to return the new value/);
  expect(await toValueChange(startRun(), () => null)(1)).toBeNull();
});
