/** Asks workers who may follow streams, as a gateway does. */
import { StepCalls } from '../../gateway/step-calls.ts';
import { WorkerAccess } from '../../gateway/streams/worker-access.ts';
import { BlobStore } from '../../shared/broker/blobs.ts';
import type { Broker } from '../../shared/broker/connect.ts';
import { watchManifest } from '../../shared/broker/manifest-store.ts';
import { createLogger } from '../../shared/logger.ts';
import type { Names } from '../../shared/protocol/subjects.ts';
import type { Manifest } from '../../shared/steps/manifest.ts';
import { idsOnly } from '../../shared/tracing.ts';
import type { LogRecord } from './cli.ts';

export interface AskingAccess extends AsyncDisposable {
  access: WorkerAccess;
  /** The newest one. */
  manifest(): Manifest | undefined;
  /** What it logged so far. */
  lines: LogRecord[];
}

/** @param timeoutMs how long it waits for an answer; generous, since machines that test are busy. */
export async function askAccess(broker: Broker, names: Names, timeoutMs = 20_000): Promise<AskingAccess> {
  const lines: LogRecord[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger({ level: 'info', pretty: false, destination });
  let newest: Manifest | undefined;
  const stop = await watchManifest(broker, names, (manifest) => {
    newest = manifest;
  });
  const calls = new StepCalls(broker, names, new BlobStore(broker, names.buckets.bodies), log);
  const manifest = () => newest;
  return {
    access: new WorkerAccess({ calls, manifest, tracing: idsOnly, log, timeoutMs }),
    manifest,
    lines,
    async [Symbol.asyncDispose]() {
      calls.close();
      stop();
    },
  };
}
