/** The broker that the single-role commands need. */
import type { BrokerAddress } from '../shared/config.ts';
import { CliError } from './cli-error.ts';
import type { CommandOptions } from './options.ts';

/** @throws CliError when NATS_URL is not set. */
export function requiredBroker(options: CommandOptions, command: string): BrokerAddress {
  if (options.env.broker) return options.env.broker;
  throw new CliError(
    `NATS_URL is not set: motia ${command} needs a running NATS server, for example NATS_URL=nats://localhost:4222`,
  );
}
