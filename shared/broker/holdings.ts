/** Which worker has which events: live workers are asked at the moment when somebody wants to know, and nothing is kept. */
import { parseJson } from '../json-values.ts';
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import { isNoResponders } from './inbox.ts';
import { readServingWorkers } from './worker-lease.ts';

/** One worker, as people find it. */
export interface WorkerIdentity {
  /** Id of its lease. */
  worker: string;
  language: string;
  host: string;
  /** Of the process that talks to the broker. */
  pid: number;
}

/** One event that a worker has. */
export interface HeldEvent {
  durable: string;
  /** Of the event in the broker stream. */
  sequence: number;
  attempt: number;
  /** Since when, ms since 1970. */
  since: number;
}

export interface Holdings {
  /** What the workers that have answered hold. */
  held: (HeldEvent & { by: WorkerIdentity })[];
  /** Workers with a lease for one of the consumers that have not answered: they stand still, or do not know the question yet. */
  silent: number;
}

/** What is asked: events of these consumers, or one of them. */
export interface HoldingsQuestion {
  consumers: string[];
  sequence?: number;
}

interface Answer extends WorkerIdentity {
  held: HeldEvent[];
}

/** A worker that lives answers within a round trip. */
const PATIENCE_MS = 500;
/** Of what one worker holds, this much fits into an answer. */
const MOST_HELD = 1_000;

/** Asks all live workers, and waits for a bounded time. */
export async function askHoldings(broker: Broker, names: Names, question: HoldingsQuestion): Promise<Holdings> {
  const workers = await readServingWorkers(broker, names, question.consumers);
  if (workers.size === 0) return { held: [], silent: 0 };
  const held: Holdings['held'] = [];
  await new Promise<void>((resolve) => {
    const inbox = broker.nc.subscribe(broker.newInbox(), {
      callback: (error, msg) => {
        if (error !== null || isNoResponders(msg)) return end();
        const answer = readJson<Answer>(msg.data);
        if (!Array.isArray(answer?.held)) return; // not one of ours
        const { held: own, ...by } = answer;
        held.push(...own.map((one) => ({ ...one, by })));
        workers.delete(by.worker);
        if (workers.size === 0) end();
      },
    });
    const timer = setTimeout(end, PATIENCE_MS);
    function end(): void {
      clearTimeout(timer);
      inbox.unsubscribe();
      resolve();
    }
    broker.send(names.holdings, JSON.stringify(question), inbox.getSubject());
  });
  return { held, silent: workers.size };
}

/** Has a worker answer the question. @param holds what it has of the consumers named. */
export function answerHoldings(
  broker: Broker,
  names: Names,
  identity: WorkerIdentity,
  holds: (consumers: ReadonlySet<string>) => HeldEvent[],
): void {
  broker.nc.subscribe(names.holdings, {
    callback: (error, msg) => {
      if (error !== null || !msg.reply) return;
      const question = readJson<HoldingsQuestion>(msg.data);
      if (!Array.isArray(question?.consumers)) return; // whoever asks takes the worker for a silent one
      const { consumers, sequence } = question;
      const held = holds(new Set(consumers)).filter((one) => sequence === undefined || one.sequence === sequence);
      const answer: Answer = { ...identity, held: held.slice(0, MOST_HELD) };
      broker.send(msg.reply, JSON.stringify(answer));
    },
  });
}

/** Nothing if it is no JSON. */
const readJson = <T>(data: Uint8Array) => parseJson(Buffer.from(data).toString('utf8')) as T | null | undefined;

/** The worker for people. */
export const describeWorker = ({ language, host, pid }: WorkerIdentity): string =>
  `${language} worker, process ${pid} on ${host}`;
