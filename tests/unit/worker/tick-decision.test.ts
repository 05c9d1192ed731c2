/** What becomes of a tick, as both workers decide it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CronRun } from '../../../shared/broker/cron-store.ts';
import { decideTick, type TakenTick } from '../../../worker/tick-decision.ts';

interface Example {
  what: string;
  taken: TakenTick;
  runs: CronRun[];
  step: { missed?: 'skip' | 'catchUp'; overlap?: boolean };
  now: number;
  /** `run`, and for the how manieth time; or why it does not. */
  is: string;
}

const { decisions } = JSON.parse(
  readFileSync(new URL('../../../shared/protocol/golden/cron.json', import.meta.url), 'utf8'),
) as { decisions: Example[] };

test.each(decisions)('$what: $is', ({ taken, runs, step, now, is }) => {
  const decision = decideTick(taken, runs, step, now);
  expect(decision.run ? `run ${decision.times}` : decision.why).toBe(is);
});
