/** Entry of a handler thread: loads the user's steps, then has the runs that the broker thread sends. */
import { parentPort } from 'node:worker_threads';
import { toErrorRecord } from '../../shared/errors.ts';
import { createPayloads } from '../../shared/payloads.ts';
import { decodeFrame, type RequestMeta } from '../../shared/protocol/frames.ts';
import { createNames } from '../../shared/protocol/subjects.ts';
import { RecordedSpan } from '../../shared/recorded-span.ts';
import { Redaction } from '../../shared/redaction.ts';
import { isAccessStep } from '../../shared/steps/access-steps.ts';
import type { Bundle } from '../../shared/steps/bundle.ts';
import { type LoadedStep, loadBundle } from '../../shared/steps/load.ts';
import { createManifest } from '../../shared/steps/manifest.ts';
import { createTracing } from '../../shared/tracing.ts';
import { resolveWorkerSettings } from '../settings.ts';
import { Gates } from '../threads/gates.ts';
import type { RunMessage, RunResult, ToThread } from '../threads/messages.ts';
import { RunSlots, SLOTS_PER_THREAD } from '../threads/run-slots.ts';
import { unpackRuns, type WireToThread } from '../threads/wire.ts';
import { ActiveRun, currentRun, type RunIdentity } from './active-run.ts';
import { deferredServices, loadModulesWhenIdle } from './broker-services.ts';
import { captureConsole } from './console.ts';
import { exitThread, installGuards } from './guards.ts';
import { flush, post } from './outbox.ts';
import { runAccess } from './run-access.ts';
import { type ApiServices, refuse, runApi } from './run-api.ts';
import { failCron, runCron } from './run-cron.ts';
import { runEvent } from './run-event.ts';
import { RunQueue } from './run-queue.ts';
import { startApiSpan, startCronSpan, startEventSpan } from './run-span.ts';
import { setup } from './setup.ts';
import { SpanOutbox } from './span-outbox.ts';
import { StreamNames } from './stream-names.ts';
import { createThreadLog } from './thread-log.ts';
import { installUserSpans } from './user-spans.ts';

const slots = new RunSlots(setup.slots);
const names = createNames(setup.app);
const log = createThreadLog(setup.logLevel);
const spans = new SpanOutbox();
const tracing = await createTracing(setup.telemetry, {
  store: setup.telemetry.stored ? spans.add : undefined,
  counts: setup.storedCounts,
  exportTo: setup.exportTo,
});

/** By slot. Not a `Map`, for the reason that `Bag` gives. */
const runs = new Array<ActiveRun | undefined>(SLOTS_PER_THREAD).fill(undefined);
const queue = new RunQueue(new Gates(setup.gates), start);

let steps = new Map<string, LoadedStep>();
let services: ApiServices;
/** Loaded and connected after the steps: the first requests need none of it. */
const brokerServices = deferredServices(setup.broker, names);
const whileInReserve = loadModulesWhenIdle();

/** Runs that go on for so long are told of while they do. */
const LONG_RUN_MS = 1_000;
if (tracing.recording) setInterval(announceLongRuns, LONG_RUN_MS).unref();

parentPort?.on('message', (batch: WireToThread) => {
  for (const message of batch.rest) receive(message);
  for (const run of unpackRuns(batch)) receive(run);
});

async function load(bundle: Bundle): Promise<void> {
  clearTimeout(whileInReserve);
  installGuards(log, failRun);
  if (setup.telemetry.stored) captureConsole(log);
  const project = await loadBundle(bundle);
  installUserSpans(tracing);
  log.redaction = new Redaction(project.settings.telemetry?.redact);
  steps = new Map([...project.steps, ...project.access].map((step) => [step.entry.id, step]));
  const ownStreams = project.streams.map(({ name }) => name);
  const streamNames = new StreamNames(ownStreams, async () => (await brokerServices.streams()).definedNames());
  const sendFrame = ({ slot }: ActiveRun, frame: Uint8Array) => post({ t: 'frame', slot, frame });
  const payloads = createPayloads(project.settings.telemetry, setup.telemetry);
  services = { ...brokerServices, streamNames, settings: project.settings, tracing, log, payloads, sendFrame };
  const manifest = createManifest({
    app: setup.app,
    steps: project.steps.map(({ entry }) => entry),
    streams: project.streams,
    settings: project.settings,
  });
  const { failures, warnings, config } = project;
  brokerServices.connectSoon();
  post({
    t: 'ready',
    app: {
      manifest,
      failures,
      warnings,
      settings: resolveWorkerSettings(config),
    },
  });
}

function receive(message: ToThread): void {
  if (message.t === 'run') {
    queue.push(message);
  } else if (message.t === 'load') {
    void load(message.bundle);
  } else if (message.t === 'abort') {
    runs[message.slot]?.fence(message.reason);
  } else if (message.t === 'credit') {
    runs[message.slot]?.stream?.credit(message.taken);
  } else if (message.t === 'ping') {
    post({ t: 'pong' });
    flush();
  } else {
    void close();
  }
}

/** Starts a run, if it is still ours to start. */
function start(message: RunMessage): void {
  const { slot, run, gate } = message;
  if (!slots.tryStart(slot)) {
    if (gate) queue.leave(gate);
    post({ t: 'withdrawn', slot });
    return;
  }
  const step = steps.get(run.step);
  if (!step || !slots.leased(slot, Date.now())) {
    finish(message, { status: step ? 'lost' : 'unknown' }, 0, 0);
    return;
  }
  const waitedMs = slots.waitedMs(slot);
  if (run.kind === 'event') {
    const span = startEventSpan(tracing, step, run.meta, waitedMs);
    const active = begin(message, { step, slot, messageId: run.meta.id, attempt: run.meta.attempt, span });
    void currentRun.run(active, async () => active.end(await runEvent(active, run.body, services)));
  } else if (run.kind === 'cron') {
    const span = startCronSpan(tracing, step, waitedMs);
    const active = begin(message, { step, slot, messageId: run.meta.id, attempt: 1, span });
    void currentRun.run(active, async () => active.end(await runCron(active, services)));
  } else {
    const { meta, body } = decodeFrame<RequestMeta>(run.frame);
    const span = startApiSpan(tracing, step, meta, waitedMs);
    const active = begin(message, { step, slot, messageId: meta.id, attempt: 1, span });
    void currentRun.run(active, async () => {
      const frame = await (isAccessStep(step.entry)
        ? runAccess(active, body, services)
        : runApi(active, meta, body, services));
      active.end({ status: 'replied', frame });
    });
  }
}

function begin(message: RunMessage, identity: RunIdentity): ActiveRun {
  const began = performance.now();
  if (identity.span.recorded) slots.tellSpan(identity.slot, identity.span.traceparent);
  const active = new ActiveRun(identity, slots, (result) => {
    runs[identity.slot] = undefined;
    identity.span.end();
    finish(message, result, performance.now() - began, active.emits);
  });
  runs[identity.slot] = active;
  return active;
}

function finish({ slot, gate }: RunMessage, result: RunResult, tookMs: number, emits: number): void {
  const counted = slots.tryEnd(slot); // otherwise the broker thread has given the run up
  if (gate && counted) queue.leave(gate);
  post({ t: 'result', slot, result, tookMs, emits });
}

/** The run's code threw where nobody awaits it. */
function failRun(run: ActiveRun, error: unknown): void {
  run.fence('it failed');
  if (run.step.entry.type === 'api') {
    run.end({ status: 'replied', frame: refuse(run, error, services) });
  } else if (run.step.entry.type === 'cron') {
    run.end(failCron(run, error, services));
  } else {
    run.span.fail(toErrorRecord(error).message);
    run.end({ status: 'failed', error: toErrorRecord(error) });
  }
  flush();
}

function announceLongRuns(): void {
  const startedBy = Date.now() - LONG_RUN_MS;
  for (const run of runs) {
    if (run?.span instanceof RecordedSpan && !run.announced && run.span.startedAt <= startedBy) {
      run.announced = true;
      spans.announce(run.span);
    }
  }
}

async function close(): Promise<void> {
  spans.flush();
  tracing.close();
  await brokerServices.close();
  flush();
  setImmediate(() => exitThread(0));
}
