/** What commands have in common that look at a running app and steer it. */
import { type Broker, connectBroker } from '../shared/broker/connect.ts';
import { createNames, type Names } from '../shared/protocol/subjects.ts';
import { runningBroker } from './broker-address.ts';
import { type CommandOptions, commandOptions, type Flags } from './options.ts';

/** Connects to the app's broker for the time that `work` takes. */
export async function withBroker<T>(
  flags: Flags,
  command: string,
  work: (broker: Broker, names: Names, options: CommandOptions) => Promise<T>,
): Promise<T> {
  const options = commandOptions(flags, 'readable');
  const broker = await connectBroker(await runningBroker(options, command), { name: `${options.app} cli` });
  try {
    return await work(broker, createNames(options.app, options.env.partitions), options);
  } finally {
    await broker.close();
  }
}
