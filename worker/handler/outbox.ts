/** What a handler thread has to say, gathered and sent as one message per turn of the event loop. */
import { parentPort } from 'node:worker_threads';
import type { FromThread } from '../threads/messages.ts';
import { packFrame, packResult, WireFromThread } from '../threads/wire.ts';

let batch: WireFromThread | undefined;

/** Says something at the end of this turn, or at the next {@link flush}. */
export function post(message: FromThread): void {
  if (!batch) {
    batch = new WireFromThread();
    setImmediate(flush);
  }
  if (message.t === 'result') packResult(batch, message);
  else if (message.t === 'frame') packFrame(batch, message);
  else batch.rest.push(message);
}

/** Sends what waits. */
export function flush(): void {
  if (!batch) return;
  const sending = batch;
  batch = undefined;
  parentPort?.postMessage(sending);
}
