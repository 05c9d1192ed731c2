/** What cases see of an app that runs in one language: a nats-server, a gateway and workers, each a process of its own. */
import { execFile } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type Command, type RunningCli, startCli } from '../../helpers/cli.ts';
import { type HttpRequest, type HttpResponse, send } from '../../helpers/http.ts';
import { createProject } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** A language that steps are written in. */
export interface Language {
  name: 'node' | 'python';
  /** What starts its worker. */
  command: Command;
  /** What it takes besides. */
  env: Record<string, string>;
}

/** What a handler noted, see `fixtures/<language>/lib`. */
export interface Note {
  /** Milliseconds since 1970. */
  at: number;
  /** Name of the worker that the handler ran in. */
  worker: string;
  what: string;
  id: string;
  attempt?: number;
  traceId?: string;
  data?: unknown;
  [field: string]: unknown;
}

/** An event that was given up. */
export interface DeadLetter {
  step: string;
  body: unknown;
  /** Name of its payload in the object store, if it is too large for a message. */
  blob: string;
  attempt: number;
  topic: string;
  traceId: string;
  error: { name: string; message: string; stack?: string };
}

export interface World extends AsyncDisposable {
  readonly gateway: RunningCli;
  /** The worker that is there all the time, under the name `first`. */
  readonly worker: RunningCli;
  readonly broker: Broker;
  readonly names: Names;
  /** A text that no other case uses. */
  newId(): string;
  /** Calls a path of the gateway. */
  call(path: string, request?: HttpRequest): Promise<HttpResponse>;
  /** Posts JSON. */
  post(path: string, body: unknown): Promise<HttpResponse>;
  /** Has a step emit these events, each awaited. @returns the trace id. */
  emit(topic: string, ...data: unknown[]): Promise<string>;
  /** Has a step do operations on state. @returns the results. */
  state(...operations: [operation: string, ...args: unknown[]][]): Promise<unknown[]>;
  /** Has a step do operations on streams. @returns what came of each. */
  streams(
    ...operations: [stream: string, operation: string, ...args: unknown[]][]
  ): Promise<{ result?: unknown; error?: string; message?: string }[]>;
  /** What handlers noted so far under an id, in order; only that of one kind if `what` is given. */
  notes(id: string, what?: string): Promise<Note[]>;
  /** Resolves with the notes of a kind once there are `count` of them. */
  waitForNotes(id: string, what: string, count?: number, within?: number): Promise<Note[]>;
  /** Resolves with the dead letter of a step whose payload has this id, or for which `match` holds. */
  waitForDeadLetter(step: string, match: string | ((letter: DeadLetter) => boolean)): Promise<DeadLetter>;
  /** Resolves when a subscription has nothing left to do. */
  waitUntilIdle(step: string, topic: string): Promise<void>;
  /** Ends what a handler computes that was told this id. */
  endComputing(id: string): Promise<void>;
  /** Starts one more gateway. */
  startGateway(): Promise<RunningCli>;
  /** Starts one more worker. */
  startWorker(name: string): Promise<RunningCli>;
  /** Ends the process of a worker that talks to the broker, without a warning. */
  killWorker(worker: RunningCli): Promise<void>;
  /** Ends the broker without a warning, and starts it again. */
  crashBroker(): Promise<void>;
}

/** Seconds until a call that is not answered gets 504: no longer than cases may take, no shorter than a busy machine does. */
export const CALL_TIMEOUT_S = 12;
/** What this says has to reach gateways and workers of every language. */
const CONFIG = `export default { http: { timeout: ${CALL_TIMEOUT_S}, validation: 'enforce' }, logs: { redact: ['order.card'] } };\n`;
/** Bytes of the broker's largest message: some of what the cases send is larger, some is not. */
export const LARGEST_MESSAGE = 4 * 1024 * 1024;
const APP = 'conformance';
/** More than the default: a worker that did not hear of it would leave message groups alone. */
const PARTITIONS = '100';

export async function startWorld(language: Language): Promise<World> {
  const project = await createProject({
    copyOf: fileURLToPath(new URL(`./fixtures/${language.name}`, import.meta.url)),
    files: { 'motia.config.ts': CONFIG, 'notes.jsonl': '' },
    packages: { zod: 'zod', '@opentelemetry/api': '@opentelemetry/api' },
  });
  const server = await startNatsServer({ maxPayload: LARGEST_MESSAGE });
  const env = { ...language.env, NATS_URL: server.url, MOTIA_APP: APP, MOTIA_PARTITIONS: PARTITIONS };
  const notesFile = project.path('notes.jsonl');
  const workers = new Set<RunningCli>();
  const startWorker = async (name: string) => {
    const ofHandlers = { WORKER: name, NOTES_FILE: notesFile };
    const worker = await startCli(language.command, project, { env: { ...env, ...ofHandlers } });
    workers.add(worker);
    void worker.exited.then(() => workers.delete(worker));
    return worker;
  };
  const provision = await startCli('provision', project, { env, ready: false });
  if ((await provision.exited) !== 0) throw new Error(provision.output());
  const [gateway, worker] = await Promise.all([startCli('gateway', project, { env }), startWorker('first')]);
  const broker = await connectBroker({ servers: server.url }, { name: 'test' });
  const names = createNames(APP);
  const noteFile = await open(notesFile);
  const readNotes = createNoteReader(noteFile);
  const readDeadLetters = createDeadLetterReader(broker, names);
  let ids = 0;

  const world: World = {
    gateway,
    worker,
    broker,
    names,
    newId: () => `id-${++ids}`,
    call: (path, request) => send(gateway.url + path, request),
    post: (path, body) =>
      world.call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    async emit(topic, ...data) {
      const events = data.map((one) => ({ topic, data: one }));
      const { status, json } = await world.post('/emit', { events, awaited: true });
      expect(status).toBe(200);
      return json().traceId;
    },
    async state(...operations) {
      const { status, json } = await world.post('/state', { operations });
      expect(status).toBe(200);
      return json().map((one: { result: unknown } | { error: string }) => ('result' in one ? one.result : one));
    },
    async streams(...operations) {
      const { status, json } = await world.post('/streams', { operations });
      expect(status).toBe(200);
      return json();
    },
    async notes(id, what) {
      const all = (await readNotes()).get(id) ?? [];
      return what === undefined ? all : all.filter((note) => note.what === what);
    },
    waitForNotes: (id, what, count = 1, within) =>
      waitFor(
        async () => {
          const found = await world.notes(id, what);
          if (found.length < count) throw new Error(`${found.length} are there`);
          return found;
        },
        { what: `${count} notes "${what}" of ${id}`, within },
      ),
    waitForDeadLetter: (step, match) =>
      waitFor(
        async () => {
          const letters = (await readDeadLetters()).filter((one) => one.step === step);
          return letters.find((one) => (typeof match === 'function' ? match(one) : idOf(one.body) === match));
        },
        { what: `the dead letter of ${step}`, every: 50 },
      ),
    async waitUntilIdle(step, topic) {
      await waitFor(async () => {
        const consumer = names.subscription(step, topic);
        const { num_pending, num_ack_pending } = await broker.jsm.consumers.info(names.streams.events, consumer);
        return num_pending + num_ack_pending === 0;
      });
    },
    endComputing: (id) => project.write(`${id}.computed`, ''),
    startGateway: () => startCli('gateway', project, { env }),
    startWorker,
    async killWorker(worker) {
      process.kill(await brokerProcessOf(worker), 'SIGKILL');
    },
    async crashBroker() {
      await server.kill('SIGKILL');
      await server.restart();
    },
    async [Symbol.asyncDispose]() {
      await noteFile.close();
      await broker.close();
      const ends = await Promise.allSettled([gateway, ...workers].map((cli) => cli.stop()));
      await server.stop();
      await project[Symbol.asyncDispose]();
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    },
  };
  return world;
}

/** Gives all notes so far by their id, and reads each line once. */
function createNoteReader(file: FileHandle): () => Promise<ReadonlyMap<string, Note[]>> {
  const notes = new Map<string, Note[]>();
  let position = 0;
  const read = async () => {
    const size = (await file.stat()).size - position;
    if (size === 0) return;
    const { buffer } = await file.read(Buffer.alloc(size), 0, size, position);
    const end = buffer.lastIndexOf('\n') + 1; // the last line may be half written
    position += end;
    for (const line of buffer.toString('utf8', 0, end).split('\n').slice(0, -1)) {
      const note: Note = JSON.parse(line);
      notes.set(note.id, [...(notes.get(note.id) ?? []), note]);
    }
  };
  return oneAtATime(read, notes);
}

/** Gives all dead letters so far, and reads each once. */
function createDeadLetterReader({ jsm }: Broker, { streams }: Names): () => Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  let seen = 0;
  const read = async () => {
    const { last_seq } = (await jsm.streams.info(streams.dead)).state;
    while (seen < last_seq) {
      const message = await jsm.streams.getMessage(streams.dead, { seq: ++seen });
      if (!message) continue; // it has been retried
      const header = (name: string) => decodeURIComponent(message.header.get(name));
      letters.push({
        step: header('Motia-Step'),
        body: parse(message.string()),
        blob: header('Motia-Blob'),
        attempt: Number(header('Motia-Attempt')),
        topic: header('Motia-Topic'),
        traceId: header('traceparent').split('-')[1] ?? '',
        error: JSON.parse(header('Motia-Error')),
      });
    }
  };
  return oneAtATime(read, letters);
}

/** Has `read` bring `result` up to date, which it does not do twice at a time. */
function oneAtATime<T>(read: () => Promise<void>, result: T): () => Promise<T> {
  let reading: Promise<void> = Promise.resolve();
  return async () => {
    reading = reading.then(read);
    await reading;
    return result;
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const idOf = (body: unknown) => (body as { id?: string } | null)?.id;

/** The program itself, or the child that it runs for it. */
async function brokerProcessOf({ pid }: RunningCli): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,args=']);
  for (const line of stdout.split('\n')) {
    const [, child, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (Number(parent) === pid && command.includes('motia.worker')) return Number(child);
  }
  return pid;
}
