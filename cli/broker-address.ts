/** The broker that commands need which do not start one. */
import type { BrokerAddress } from '../shared/config.ts';
import { CliError } from './cli-error.ts';
import { findDevBroker } from './dev-lock.ts';
import type { CommandOptions } from './options.ts';

/** @throws CliError when NATS_URL is not set. */
export function requiredBroker(options: CommandOptions, command: string): BrokerAddress {
  if (options.env.broker) return options.env.broker;
  throw new CliError(
    `NATS_URL is not set: motia ${command} needs a running NATS server, for example NATS_URL=nats://localhost:4222`,
  );
}

/** The broker of NATS_URL, else that of `motia dev` or `motia start` in this folder. @throws CliError when there is neither. */
export async function runningBroker(options: CommandOptions, command: string): Promise<BrokerAddress> {
  const address = options.env.broker ?? (await findDevBroker(options.dataDir));
  if (address) return address;
  throw new CliError(
    `Nothing runs here: motia ${command} needs motia dev or motia start in this folder, or NATS_URL with the address of a broker`,
  );
}
