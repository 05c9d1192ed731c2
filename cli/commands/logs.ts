/** `motia logs`: what all processes of the app have logged, and what they log while it looks. */
import { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import type { LogLevel } from '../../shared/config.ts';
import { onShutdown } from '../../shared/lifecycle.ts';
import { logSink } from '../../shared/logger.ts';
import type { LogRecord } from '../../shared/telemetry-records.ts';
import { collectPages } from '../collect-pages.ts';
import type { Flags } from '../options.ts';
import { timeFlag } from '../time-flag.ts';
import { withBroker } from '../with-broker.ts';

const DEFAULT_LIMIT = 100;

export async function logs(given: Flags): Promise<number> {
  const { follow = false, trace, step, flow, level, text, since, until, limit, json = false, ...flags } = given;
  const filter = {
    ...{ traceId: trace, step, flow, level: level as LogLevel | undefined, text },
    ...{ since: timeFlag('since', since), until: timeFlag('until', until) },
  };
  return withBroker(flags, 'logs', async (broker, names, { logging }) => {
    const admin = new TelemetryAdmin(broker, names);
    const sink = logSink({ ...logging, pretty: logging.pretty && !json, tapped: false });
    const print = (record: LogRecord) => void sink.write(`${JSON.stringify(record)}\n`);
    const ended = new AbortController();
    if (!follow || filter.since === undefined) {
      const wanted = limit ?? (follow ? 10 : DEFAULT_LIMIT);
      const newestFirst = await collectPages(wanted, async (page) => {
        const { logs, next } = await admin.logs(filter, page);
        return [logs, next];
      });
      for (const record of newestFirst.reverse()) print(record);
    }
    if (!follow) return 0;
    onShutdown(() => ended.abort());
    for await (const record of admin.follow(filter, ended.signal)) print(record);
    return 0;
  });
}
