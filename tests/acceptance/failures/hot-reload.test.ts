/** Edits while 16 clients call: none of them notices. */
import { expect, test } from 'vitest';
import { waitFor } from '../../helpers/wait-for.ts';
import { Reloads, startClients } from './reloads.ts';

/** Of ten edits each. */
const ROUNDS = 3;

test('30 edits of every kind: no call fails, the last good version is served meanwhile, and then the new one', async () => {
  await using reloads = await Reloads.start();
  const clients = startClients(reloads, 16);
  for (let round = 0; round < ROUNDS; round++) {
    for (const edit of reloads.everyKind) await edit();
  }
  const calls = await clients.stop();
  expect(clients.failures).toEqual([]);
  expect(calls).toBeGreaterThan(300);
  expect(reloads.cli.logs({ action: 'reload_failed' })).toEqual([]);
});

test('calls of a step that was just removed are answered, with 404', async () => {
  await using reloads = await Reloads.start();
  const statuses = new Set<number>();
  let going = true;
  const clients = Array.from({ length: 8 }, async () => {
    while (going) statuses.add((await reloads.call('GET', '/moving-0')).status);
  });
  await waitFor(() => statuses.has(200));
  await reloads.kinds.removeMoving();
  going = false;
  await Promise.all(clients);
  statuses.add((await reloads.call('GET', '/moving-0')).status); // they may have ended before the step did
  expect([...statuses].sort()).toEqual([200, 404]);
});

test('a handler that computes while the code is exchanged ends in peace, and nobody waits for it', async () => {
  await using reloads = await Reloads.start();
  const end = await reloads.addComputing();
  const computing = reloads.call('GET', '/computing');
  const clients = startClients(reloads, 8);
  await reloads.kinds.handler();
  await reloads.kinds.postHandler();
  await clients.stop();
  expect(clients.failures).toEqual([]);
  await end();
  expect((await computing).status).toBe(200);
});
