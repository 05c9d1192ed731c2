/**
 * The form in which messages cross threads. Copying between threads costs more than most handlers: so all that is said in one
 * turn of the event loop is one message, runs and results are flat lists, and small byte strings are text.
 */
import type { Gate } from './gates.ts';
import type { FromThread, ResultMessage, Run, RunMessage, RunResult, ToThread } from './messages.ts';

export class WireToThread {
  /** Slot, step and frame of one call after the other. */
  calls: unknown[] = [];
  events: WireEvents[] = [];
  /** Slot and run of one tick after the other. */
  ticks: { slot: number; run: CronRun }[] = [];
  rest: Exclude<ToThread, RunMessage>[] = [];
}

export class WireFromThread {
  /** Slot and bytes of one frame after the other. They come before the results: no run has both in the other order. */
  frames: unknown[] = [];
  /** Slot, time taken, emits, status and detail of one result after the other. */
  results: unknown[] = [];
  rest: Exclude<FromThread, ResultMessage | FrameMessage>[] = [];
}

/** Events of one subscription: slot, id, attempt, traceparent, link and body of one after the other. */
interface WireEvents {
  step: string;
  topic: string;
  gate: Gate | undefined;
  runs: unknown[];
}

type CronRun = Extract<Run, { kind: 'cron' }>;
type FrameMessage = Extract<FromThread, { t: 'frame' }>;

/** Bytes, or text with one character for each byte. */
type WireBytes = string | Uint8Array;

/** A buffer of its own pays off above this size. */
const SHORT = 8 * 1024;

function packBytes(bytes: Uint8Array): WireBytes {
  if (bytes.length > SHORT) return new Uint8Array(bytes); // a view would drag its whole block along
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function unpackBytes(packed: WireBytes): Buffer {
  if (typeof packed === 'string') return Buffer.from(packed, 'latin1');
  return Buffer.from(packed.buffer, packed.byteOffset, packed.length);
}

export function packRun(wire: WireToThread, { slot, run, gate }: RunMessage): void {
  if (run.kind === 'api') {
    wire.calls.push(slot, run.step, packBytes(run.frame));
    return;
  }
  if (run.kind === 'cron') {
    wire.ticks.push({ slot, run });
    return;
  }
  const { id, topic, attempt, traceparent, link } = run.meta;
  let group = wire.events.at(-1);
  if (group?.step !== run.step || group.topic !== topic) {
    group = { step: run.step, topic, gate, runs: [] };
    wire.events.push(group);
  }
  group.runs.push(slot, id, attempt, traceparent, link, run.body);
}

export function* unpackRuns({ calls, events, ticks }: WireToThread): Generator<RunMessage> {
  for (let i = 0; i < calls.length; i += 3) {
    const frame = unpackBytes(calls[i + 2] as WireBytes);
    yield { t: 'run', slot: calls[i] as number, run: { kind: 'api', step: calls[i + 1] as string, frame } };
  }
  for (const { slot, run } of ticks) yield { t: 'run', slot, run };
  for (const { step, topic, gate, runs } of events) {
    for (let i = 0; i < runs.length; i += 6) {
      const id = runs[i + 1] as string;
      const [attempt, traceparent] = [runs[i + 2] as number, runs[i + 3] as string];
      const meta = { id, topic, attempt, traceparent, link: runs[i + 4] as string | undefined };
      const run = { kind: 'event' as const, step, meta, body: runs[i + 5] as string };
      yield { t: 'run', slot: runs[i] as number, run, gate };
    }
  }
}

export function packFrame(wire: WireFromThread, { slot, frame }: FrameMessage): void {
  wire.frames.push(slot, packBytes(frame));
}

export function* unpackFrames({ frames }: WireFromThread): Generator<FrameMessage> {
  for (let i = 0; i < frames.length; i += 2) {
    yield { t: 'frame', slot: frames[i] as number, frame: unpackBytes(frames[i + 1] as WireBytes) };
  }
}

export function packResult(wire: WireFromThread, { slot, tookMs, emits, result }: ResultMessage): void {
  const detail =
    result.status === 'replied' ? packBytes(result.frame) : result.status === 'failed' ? result.error : undefined;
  wire.results.push(slot, tookMs, emits, result.status, detail);
}

export function* unpackResults({ results }: WireFromThread): Generator<ResultMessage> {
  for (let i = 0; i < results.length; i += 5) {
    const [slot, tookMs, emits] = [results[i] as number, results[i + 1] as number, results[i + 2] as number];
    yield { t: 'result', slot, tookMs, emits, result: toResult(results[i + 3] as RunResult['status'], results[i + 4]) };
  }
}

function toResult(status: RunResult['status'], detail: unknown): RunResult {
  if (status === 'replied') return { status, frame: unpackBytes(detail as WireBytes) };
  if (status === 'failed') return { status, error: detail as Extract<RunResult, { status: 'failed' }>['error'] };
  return { status };
}
