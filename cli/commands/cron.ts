/** `motia cron`: shows the project's cron steps, has one run now, pauses and resumes it. */
import { connectBroker } from '../../shared/broker/connect.ts';
import { CronAdmin, type CronStatus } from '../../shared/broker/cron-admin.ts';
import { createNames } from '../../shared/protocol/subjects.ts';
import { runningBroker } from '../broker-address.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { commandOptions, type Flags } from '../options.ts';

const DONE = { trigger: 'will run now', pause: 'is paused', resume: 'runs on schedule again' };

export async function cron({ action = 'list', step, json, ...flags }: Flags): Promise<number> {
  if (action !== 'list' && !step) throw new CliError(`Which step? motia cron ${action} <step>`, EXIT.usage);
  const options = commandOptions(flags, 'readable');
  const broker = await connectBroker(await runningBroker(options, 'cron'), { name: `${options.app} cli` });
  try {
    const admin = new CronAdmin(broker, createNames(options.app));
    if (action === 'list' || !step) {
      const steps = await admin.list();
      console.log(json ? JSON.stringify(steps, null, 2) : table(steps));
    } else {
      await admin[action](step);
      console.log(json ? JSON.stringify({ step, action }) : `${step} ${DONE[action]}`);
    }
    return 0;
  } finally {
    await broker.close();
  }
}

function table(steps: CronStatus[]): string {
  if (steps.length === 0) return 'There are no cron steps';
  const rows = steps.map(({ step, cron, timezone, next, last, paused }) => [
    step,
    cron,
    timezone,
    paused ? 'paused' : short(next),
    last ? `${short(last.tick)} ${last.outcome}${last.manual ? ' (by hand)' : ''}` : '-',
  ]);
  const all = [['STEP', 'SCHEDULE', 'TIME ZONE', 'NEXT', 'LAST'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const short = (time: string | undefined) => time?.replace(/\.\d+Z$/, 'Z') ?? '-';
