/** `motia traces`: lists what the app has done. */
import { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import type { TraceSummary } from '../../shared/broker/telemetry-summary.ts';
import { collectPages } from '../collect-pages.ts';
import type { Flags } from '../options.ts';
import { shortText, shortTime, table } from '../table.ts';
import { timeFlag } from '../time-flag.ts';
import { duration } from '../trace-tree.ts';
import { withBroker } from '../with-broker.ts';

const DEFAULT_LIMIT = 20;
const LONGEST_ERROR = 60;

export async function traces({ status, step, flow, text, since, until, limit, json = false, ...flags }: Flags) {
  const filter = { status, step, flow, text, since: timeFlag('since', since), until: timeFlag('until', until) };
  return withBroker(flags, 'traces', async (broker, names) => {
    const admin = new TelemetryAdmin(broker, names);
    const found = await collectPages(limit ?? DEFAULT_LIMIT, async (page) => {
      const { traces, next } = await admin.traces(filter, page);
      return [traces, next];
    });
    console.log(json ? JSON.stringify(found, null, 2) : toTable(found));
    return 0;
  });
}

function toTable(found: TraceSummary[]): string {
  if (found.length === 0) return 'There are no such traces';
  const rows = found.map((one) => [
    shortTime(one.startedAt),
    one.traceId,
    one.name,
    one.status,
    duration(one.durationMs),
    String(one.spans),
    shortText(one.error ?? '-', LONGEST_ERROR),
  ]);
  return table(['BEGAN', 'TRACE', 'NAME', 'STATUS', 'TOOK', 'SPANS', 'ERROR'], rows);
}
