/** `motia cron`: shows the project's cron steps, has one run now, pauses and resumes it. */
import { CronAdmin, type CronStatus } from '../../shared/broker/cron-admin.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { CRON_ACTIONS, Flags } from '../options.ts';
import { shortTime, table } from '../table.ts';
import { withBroker } from '../with-broker.ts';

const DONE = { trigger: 'will run now', pause: 'is paused', resume: 'runs on schedule again' };

export async function cron({ step, json, ...flags }: Flags): Promise<number> {
  const action = flags.action as (typeof CRON_ACTIONS)[number];
  if (action !== 'list' && !step) throw new CliError(`Which step? motia cron ${action} <step>`, EXIT.usage);
  return withBroker(flags, 'cron', async (broker, names) => {
    const admin = new CronAdmin(broker, names);
    if (action === 'list' || !step) {
      const steps = await admin.list();
      console.log(json ? JSON.stringify(steps, null, 2) : toTable(steps));
    } else {
      await admin[action](step);
      console.log(json ? JSON.stringify({ step, action }) : `${step} ${DONE[action]}`);
    }
    return 0;
  });
}

function toTable(steps: CronStatus[]): string {
  if (steps.length === 0) return 'There are no cron steps';
  const rows = steps.map(({ step, cron, timezone, next, last, paused }) => [
    step,
    cron,
    timezone,
    paused ? 'paused' : shortTime(next),
    last ? `${shortTime(last.tick)} ${last.outcome}${last.manual ? ' (by hand)' : ''}` : '-',
  ]);
  return table(['STEP', 'SCHEDULE', 'TIME ZONE', 'NEXT', 'LAST'], rows);
}
