/** Where a command serves metrics and health. */
import type { OpsAddress } from '../shared/ops-server.ts';
import type { CommandOptions } from './options.ts';

const DEFAULT_METRICS_PORT = 9464;

/** Of a process with one role: the usual port, unless another one or none is asked for. */
export function opsAddress({ env, host = '0.0.0.0' }: CommandOptions): OpsAddress | undefined {
  const { metricsPort = DEFAULT_METRICS_PORT } = env;
  if (metricsPort === 'off') return undefined;
  return { host, port: metricsPort, optional: env.metricsPort === undefined };
}

/** Of all roles on one machine: the gateway's own port is enough, unless another one is asked for. */
export function supervisedOpsAddress({ env }: CommandOptions, host: string): OpsAddress | undefined {
  return typeof env.metricsPort === 'number' ? { host, port: env.metricsPort, optional: false } : undefined;
}
