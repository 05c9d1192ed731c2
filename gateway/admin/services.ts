/** What the admin API does its work with. */
import type { Broker } from '../../shared/broker/connect.ts';
import type { CronAdmin } from '../../shared/broker/cron-admin.ts';
import type { DeadLetterAdmin } from '../../shared/broker/dead-letter-admin.ts';
import type { EmitAdmin } from '../../shared/broker/emit-admin.ts';
import type { EventSearch } from '../../shared/broker/event-search.ts';
import { findOrphans, type Orphan } from '../../shared/broker/orphans.ts';
import type { QueueAdmin } from '../../shared/broker/queue-admin.ts';
import type { ReplayAdmin } from '../../shared/broker/replay-admin.ts';
import type { ScheduledAdmin } from '../../shared/broker/scheduled-admin.ts';
import type { StateAdmin } from '../../shared/broker/state-admin.ts';
import type { StreamAdmin } from '../../shared/broker/stream-admin.ts';
import type { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import type { Payloads } from '../../shared/payloads.ts';
import type { Names } from '../../shared/protocol/subjects.ts';
import type { Tracing } from '../../shared/tracing.ts';

/** Each is loaded and made when it is asked for: most gateways are never asked. */
export interface AdminServices {
  cron: () => Promise<CronAdmin>;
  deadLetters: () => Promise<DeadLetterAdmin>;
  emits: () => Promise<EmitAdmin>;
  queues: () => Promise<QueueAdmin>;
  scheduled: () => Promise<ScheduledAdmin>;
  state: () => Promise<StateAdmin>;
  streams: () => Promise<StreamAdmin>;
  replays: () => Promise<ReplayAdmin>;
  findEvent: (id: string) => Promise<EventSearch>;
  orphans: () => Promise<Orphan[]>;
  /** The same each time, since it keeps what it has read. */
  telemetry: () => Promise<TelemetryAdmin>;
}

/** @param payloads `undefined` where they are not kept. */
export function createAdminServices(
  broker: Broker,
  names: Names,
  tracing: Tracing,
  payloads: () => Payloads | undefined,
): AdminServices {
  let kept: Promise<TelemetryAdmin> | undefined;
  const telemetry = () => {
    kept ??= import('../../shared/broker/telemetry-admin.ts').then(
      ({ TelemetryAdmin }) => new TelemetryAdmin(broker, names),
    );
    return kept;
  };
  return {
    cron: async () => new (await import('../../shared/broker/cron-admin.ts')).CronAdmin(broker, names),
    deadLetters: async () => {
      const { DeadLetterAdmin } = await import('../../shared/broker/dead-letter-admin.ts');
      return new DeadLetterAdmin(broker, names, tracing);
    },
    emits: async () =>
      new (await import('../../shared/broker/emit-admin.ts')).EmitAdmin(broker, names, tracing, payloads()),
    queues: async () => new (await import('../../shared/broker/queue-admin.ts')).QueueAdmin(broker, names),
    scheduled: async () => new (await import('../../shared/broker/scheduled-admin.ts')).ScheduledAdmin(broker, names),
    state: async () => new (await import('../../shared/broker/state-admin.ts')).StateAdmin(broker, names),
    streams: async () => new (await import('../../shared/broker/stream-admin.ts')).StreamAdmin(broker, names),
    findEvent: async (id) => (await import('../../shared/broker/event-search.ts')).findEvent(broker, names, id),
    orphans: () => findOrphans(broker, names),
    replays: async () => {
      const { ReplayAdmin } = await import('../../shared/broker/replay-admin.ts');
      return new ReplayAdmin(broker, names, tracing, await telemetry());
    },
    telemetry,
  };
}
