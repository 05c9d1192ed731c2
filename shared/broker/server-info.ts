/** What a server says about itself. */
import type { Broker } from './connect.ts';

export interface ServerDescription {
  version: string;
  /** Bytes of the largest message. */
  maxPayload: number;
  /** Bytes that broker streams may take on the disk and in memory; -1 for no limit of the account. */
  storage: number;
  memory: number;
}

/** @throws Error when JetStream is not enabled for the account. */
export async function describeServer(broker: Broker): Promise<ServerDescription> {
  const { limits } = await broker.jsm.getAccountInfo();
  return {
    version: broker.nc.info?.version ?? 'unknown',
    maxPayload: broker.maxPayload(),
    storage: limits.max_storage,
    memory: limits.max_memory,
  };
}
