/** Cron steps: what they get, when they run and when they do not. The tests are the scheduler. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { ACK_WAIT_MS } from '../../../../shared/broker/consumers.ts';
import { CronStore } from '../../../../shared/broker/cron-store.ts';
import { publishStored } from '../../../../shared/broker/publish.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import type { World } from '../world.ts';
import { traceWhen } from './traces.ts';

const cronOf = ({ broker, names }: World) => new CronStore(broker, names);

/** What the record of a step says of its last run, once it has ended. */
const lastOutcome = (world: World, step: string, runs: number) =>
  waitFor(async () => {
    const record = (await cronOf(world).readRecord(step)).runs;
    return record.length === runs ? record.at(-1)?.outcome : undefined;
  });

/** Has the step `CronSlow` run until the second worker, `victim`, has a run. @returns how many there have been by then. */
async function untilVictimRuns(world: World): Promise<{ started: number; ended: number }> {
  for (;;) {
    const before = (await world.notes('CronSlow', 'cron started')).length;
    const ended = (await world.notes('CronSlow', 'cron ended')).length;
    await cronOf(world).trigger('CronSlow');
    const started = await world.waitForNotes('CronSlow', 'cron started', before + 1);
    if (started.at(-1)?.worker === 'victim') return { started: started.length, ended };
    await world.waitForNotes('CronSlow', 'cron ended', ended + 1);
  }
}

export const cronCases: Case[] = [
  {
    name: 'a cron step gets the context alone, and begins a trace that its events go on with',
    async run(world) {
      await cronOf(world).fire('CronRemind', Date.now());
      const [run] = await world.waitForNotes('CronRemind', 'cron');
      expect(run).toMatchObject({ count: 1, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
      const [event] = await world.waitForNotes('CronRemind', 'noted');
      expect(event?.traceId).toBe(run?.traceId);
      expect(await world.state(['get', 'cron', 'remind'])).toEqual([{ traceId: run?.traceId }]);
      await world.worker.waitForLog({ step: 'CronRemind', msg: 'reminded', traceId: run?.traceId as string });
      expect(await lastOutcome(world, 'CronRemind', 1)).toBe('succeeded');
    },
  },
  {
    name: 'a cron run that fails is told with its error and trace, and not tried again',
    async run(world) {
      const tick = Date.now();
      await cronOf(world).fire('CronFail', tick);
      const [run] = await world.waitForNotes('CronFail', 'cron');
      const told = await world.worker.waitForLog({ action: 'run_failed', step: 'CronFail' });
      expect(told).toMatchObject({
        level: 'error',
        traceId: run?.traceId,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        err: { name: 'TypeError', message: 'no reminder today', stack: expect.any(String) },
      });
      const { roots } = await traceWhen(world, told.traceId as string, (trace) => trace.status === 'failed');
      expect(roots).toMatchObject([
        { name: 'cron CronFail', spanId: told.spanId, attributes: { 'motia.queue.wait_ms': expect.any(Number) } },
      ]);
      expect(await lastOutcome(world, 'CronFail', 1)).toBe('failed');
      // The next tick runs; by then the first would have been tried again.
      await cronOf(world).fire('CronFail', tick + 1);
      expect(await lastOutcome(world, 'CronFail', 2)).toBe('failed');
      expect(await world.notes('CronFail', 'cron')).toHaveLength(2);
      const { state } = await world.broker.jsm.streams.info(world.names.streams.dead, {
        subjects_filter: world.names.dead('CronFail'),
      });
      expect(state.subjects ?? {}).toEqual({});
    },
  },
  {
    name: 'a cron run whose handler ends its process has failed, and is not tried again',
    alone: true,
    async run(world) {
      await cronOf(world).fire('CronExit', Date.now());
      const told = await world.worker.waitForLog({ action: 'run_failed', step: 'CronExit' });
      const [run] = await world.waitForNotes('CronExit', 'cron');
      const spanId = expect.stringMatching(/^[0-9a-f]{16}$/); // of a run that could tell of nothing itself
      expect(told).toMatchObject({ level: 'error', traceId: run?.traceId, spanId, err: { code: 'RUN_CUT_OFF' } });
      expect(await lastOutcome(world, 'CronExit', 1)).toBe('failed');
      await sleep(500);
      expect(await world.notes('CronExit', 'cron')).toHaveLength(1);
    },
  },
  {
    name: 'a cron step does not overlap with itself: a tick that is due meanwhile is left out and told, by hand it waits',
    alone: true,
    async run(world) {
      const cron = cronOf(world);
      const tick = Date.now();
      await cron.fire('CronSlow', tick);
      await world.waitForNotes('CronSlow', 'cron started');
      await cron.fire('CronSlow', tick + 1_000);
      await cron.trigger('CronSlow');
      await world.waitForNotes('CronSlow', 'cron ended', 2);
      expect((await world.notes('CronSlow')).map(({ what }) => what)).toEqual([
        ...['cron started', 'cron ended'],
        ...['cron started', 'cron ended'],
      ]);
      const told = world.worker.logs({ action: 'tick_dropped', step: 'CronSlow' });
      expect(told).toMatchObject([{ level: 'warn', tick: tick + 1_000, reason: 'still running' }]);
    },
  },
  {
    name: 'a cron step that may overlap with itself does',
    async run(world) {
      const cron = cronOf(world);
      const tick = Date.now();
      await cron.fire('CronOverlap', tick);
      await cron.fire('CronOverlap', tick + 100);
      await world.waitForNotes('CronOverlap', 'cron started', 2);
      expect(await world.notes('CronOverlap', 'cron ended')).toEqual([]);
      await world.waitForNotes('CronOverlap', 'cron ended', 2);
    },
  },
  {
    name: 'a message that is no tick is dropped and told, and holds up no other',
    alone: true,
    async run(world) {
      for (const tick of ['', 'soon', '-1', '1e3', '1'.repeat(15)]) {
        const headers = { 'Motia-Tick': tick, 'Nats-Msg-Id': world.newId() };
        await publishStored(world.broker, world.names.tick('CronSlow'), '', headers);
      }
      const before = (await world.notes('CronSlow', 'cron started')).length;
      await cronOf(world).trigger('CronSlow');
      await world.waitForNotes('CronSlow', 'cron ended', before + 1);
      expect(world.worker.logs({ action: 'tick_malformed', step: 'CronSlow' })).toHaveLength(5);
    },
  },
  {
    name: 'kill -9 in the middle of a cron run: it runs once more',
    alone: true,
    async run(world) {
      const victim = await world.startWorker('victim');
      const { started, ended } = await untilVictimRuns(world);
      await world.killWorker(victim);
      await world.waitForNotes('CronSlow', 'cron ended', ended + 1, ACK_WAIT_MS + 10_000);
      const again = (await world.notes('CronSlow', 'cron started')).slice(started);
      expect(again).toMatchObject([{ worker: 'first' }]);
      const last = await waitFor(async () => {
        const run = (await cronOf(world).readRecord('CronSlow')).runs.at(-1);
        return run?.endedAt === undefined ? undefined : run;
      });
      expect(last).toMatchObject({ times: 2, manual: true, outcome: 'succeeded' });
      await victim.stop('SIGKILL');
    },
  },
  {
    name: 'SIGTERM in the middle of a cron run: it is finished, and does not run again',
    alone: true,
    async run(world) {
      const victim = await world.startWorker('victim');
      const { started, ended } = await untilVictimRuns(world);
      expect(await victim.stop('SIGTERM')).toBe(0);
      expect(await world.notes('CronSlow', 'cron ended')).toHaveLength(ended + 1);
      expect((await cronOf(world).readRecord('CronSlow')).runs.at(-1)).toMatchObject({
        times: 1,
        outcome: 'succeeded',
      });
      // The next one runs at once, and is the only one.
      await cronOf(world).trigger('CronSlow');
      await world.waitForNotes('CronSlow', 'cron ended', ended + 2, ACK_WAIT_MS - 2_000);
      expect(await world.notes('CronSlow', 'cron started')).toHaveLength(started + 1);
    },
  },
];
