/** The connection of a handler thread, and what handlers reach over it. One module, since it is loaded as one: see `broker-services.ts`. */
import { BlobStore } from '../../shared/broker/blobs.ts';
import { OWN_GROUPS } from '../../shared/broker/confined-key-value.ts';
import { connectBroker } from '../../shared/broker/connect.ts';
import { EventStore } from '../../shared/broker/events.ts';
import { StateStore } from '../../shared/broker/state.ts';
import { StreamStore } from '../../shared/broker/streams.ts';
import type { BrokerAddress } from '../../shared/config.ts';
import type { Names } from '../../shared/protocol/subjects.ts';

export type ConnectedServices = Awaited<ReturnType<typeof connect>>;

const CONNECT_WITHIN_MS = 30_000;

/** @throws {MotiaError} `BROKER_*` */
export async function connect(address: BrokerAddress, names: Names) {
  const broker = await connectBroker(address, { name: `${names.app} handlers`, timeoutMs: CONNECT_WITHIN_MS });
  const state = new StateStore(broker, names);
  return {
    broker,
    events: new EventStore(broker, names),
    state,
    /** Of steps that name their groups. */
    ownState: broker.locked ? new StateStore(broker, names, OWN_GROUPS) : state,
    streams: new StreamStore(broker, names),
    bodies: new BlobStore(broker, names.buckets.bodies),
  };
}
