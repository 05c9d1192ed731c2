/** What commands have in common that look at a running app and steer it. */
import { type Broker, connectBroker } from '../shared/broker/connect.ts';
import { createNames, type Names } from '../shared/protocol/subjects.ts';
import { runningBroker } from './broker-address.ts';
import { commandOptions, type Flags } from './options.ts';

/** Connects to the app's broker for the time that `work` takes. */
export async function withBroker<T>(
  flags: Flags,
  command: string,
  work: (broker: Broker, names: Names) => Promise<T>,
): Promise<T> {
  const options = commandOptions(flags, 'readable');
  const broker = await connectBroker(await runningBroker(options, command), { name: `${options.app} cli` });
  try {
    return await work(broker, createNames(options.app, options.env.partitions));
  } finally {
    await broker.close();
  }
}
