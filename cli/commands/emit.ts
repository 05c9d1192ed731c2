/** `motia emit`: emits an event to the steps of the project. */
import { EmitAdmin } from '../../shared/broker/emit-admin.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { Flags } from '../options.ts';
import { withBroker } from '../with-broker.ts';

export async function emit({ topic, message = '', id, delay, group, json, ...flags }: Flags): Promise<number> {
  const data = parse(message);
  return withBroker(flags, 'emit', async (broker, names) => {
    const emitted = await new EmitAdmin(broker, names).emit({ topic, data, id, delay, messageGroupId: group });
    if (emitted.warning !== undefined) console.error(`Warning: ${emitted.warning}`);
    const { eventId, traceId, subscribers } = emitted;
    const text = `Stored event ${eventId} (trace ${traceId}) for ${subscribers.join(', ') || 'no step'}`;
    console.log(json ? JSON.stringify(emitted, null, 2) : text);
    return 0;
  });
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch (error) {
    throw new CliError(`--message is not JSON: ${(error as Error).message}`, EXIT.usage);
  }
}
