/** The crash test, short for the test suite and long for `npm run chaos`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../helpers/wait-for.ts';
import { seeded } from '../../unit/worker/http/random.ts';
import { type Cluster, json } from './cluster.ts';

export interface CrashOptions {
  kills: number;
  /** Go on until this many events are acknowledged. */
  events: number;
  publishers: number;
  seed?: number;
}

export interface CrashOutcome {
  /** Ids that a caller was told are stored. */
  acked: Set<string>;
  /** Ids that a handler has had. */
  handled: Set<string>;
  /** How often the gateway answered with each status. */
  statuses: Map<number, number>;
}

/** Events that one call emits. */
const PER_CALL = 20;

/** Emits through the gateway from many sides while the broker is killed and started again, then waits for the handlers. */
export async function crashUnderLoad(cluster: Cluster, options: CrashOptions): Promise<CrashOutcome> {
  const { kills, events, publishers, seed = Date.now() } = options;
  const random = seeded(seed);
  const acked = new Set<string>();
  const statuses = new Map<number, number>();
  let crashing = true;

  const publishing = Array.from({ length: publishers }, async (_, publisher) => {
    for (let call = 0; crashing || acked.size < events; call++) {
      const ids = Array.from({ length: PER_CALL }, (_, i) => `p${publisher}.${call}.${i}`);
      const body = { topic: 'work', events: ids.map((id) => ({ id, ms: 0 })) };
      const { status } = await cluster.gateway.fetch('/emit', json(body));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 200) for (const id of ids) acked.add(id);
      else await sleep(20);
      if (acked.size > (events * (kills + 1)) / kills) await sleep(100); // enough; the rest of the crashes still come
    }
  });
  for (let kill = 0; kill < kills; kill++) {
    await sleep(300 + random.int(700));
    await cluster.server.kill('SIGKILL');
    await sleep(random.int(400));
    await cluster.server.restart();
  }
  crashing = false;
  await Promise.all(publishing);

  const handled = async () => new Set((await cluster.facts('work ended')).map(({ id }) => id));
  const missing = async () => {
    const done = await handled();
    return [...acked].filter((id) => !done.has(id));
  };
  await waitFor(async () => (await missing()).length === 0, {
    what: `all acknowledged events to be handled (seed ${seed})`,
    within: 45_000,
    every: 500,
  }).catch(() => {}); // whoever compares the sets says what is missing
  return { acked, handled: await handled(), statuses };
}
