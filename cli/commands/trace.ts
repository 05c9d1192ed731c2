/** `motia trace`: shows what happened in one trace. */
import { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import type { Flags } from '../options.ts';
import { terminal } from '../terminal.ts';
import { drawTrace } from '../trace-tree.ts';
import { withBroker } from '../with-broker.ts';

export async function trace({ id, json = false, ...flags }: Flags): Promise<number> {
  return withBroker(flags, 'trace', async (broker, names, { env }) => {
    const found = await new TelemetryAdmin(broker, names).trace(id as string);
    console.log(json ? JSON.stringify(found, null, 2) : drawTrace(found, terminal(env)));
    return 0;
  });
}
