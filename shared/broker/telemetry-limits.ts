/** How long spans and log records are kept, and how many bytes of them. */
import { nanos } from '@nats-io/transport-node';
import type pino from 'pino';
import type { TelemetryEnvironment } from '../config.ts';
import type { Names } from '../protocol/subjects.ts';
import type { TelemetrySettings } from '../steps/telemetry-settings.ts';
import type { Broker } from './connect.ts';
import { DAY, TELEMETRY_DAYS } from './topology.ts';

export interface TelemetryLimits {
  days?: number | undefined;
  bytes?: number | undefined;
}

/**
 * Gives stored telemetry these limits; the number of bytes stays as it is when none is given, since it may have been fitted to the disk. To be
 * called when the settings of the project are known.
 */
export async function limitTelemetry(
  broker: Broker,
  names: Names,
  { days = TELEMETRY_DAYS, bytes }: TelemetryLimits,
): Promise<void> {
  const name = names.streams.telemetry;
  const { config } = await broker.jsm.streams.info(name);
  const limits = { max_age: nanos(days * DAY), max_bytes: bytes ?? config.max_bytes };
  if (config.max_age === limits.max_age && config.max_bytes === limits.max_bytes) return;
  await broker.jsm.streams.update(name, limits);
}

/** The same by what a manifest says, and the environment before it. A failure is told in the log. */
export function followTelemetrySettings(
  broker: Broker,
  names: Names,
  settings: TelemetrySettings | undefined,
  env: Pick<TelemetryEnvironment, 'days' | 'bytes'>,
  log: pino.Logger,
): void {
  if (broker.locked) return;
  const limits = { days: env.days ?? settings?.days, bytes: env.bytes ?? settings?.bytes };
  limitTelemetry(broker, names, limits).catch((error) =>
    log.warn({ action: 'telemetry_limits_failed', err: error }, 'The limits of stored telemetry could not be set'),
  );
}
