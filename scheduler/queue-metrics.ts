/** What waits in the subscriptions of the app, for metrics. One scheduler tells it, the one that leads. */
import type pino from 'pino';
import type { QueueAdmin, QueueCounts } from '../shared/broker/queue-admin.ts';
import type { MetricName } from '../shared/metrics/definitions.ts';
import type { Readings } from '../shared/metrics/metrics.ts';

type QueueReadings = Partial<Record<MetricName, Readings>>;

/** Several who ask within this time get one answer: to count takes some questions to the broker for each subscription. */
const FRESH_MS = 5_000;
/** A scrape does not wait longer for the broker. */
const WITHIN_MS = 3_000;

export class QueueMetrics {
  readonly #queues: Pick<QueueAdmin, 'counts'>;
  readonly #log: pino.Logger;
  #latest: Promise<QueueReadings | undefined> | undefined;
  #askedAt = 0;

  constructor(queues: Pick<QueueAdmin, 'counts'>, log: pino.Logger) {
    this.#queues = queues;
    this.#log = log;
  }

  /** @returns `undefined` if the broker cannot tell in time. */
  read(): Promise<QueueReadings | undefined> {
    const now = Date.now();
    if (!this.#latest || now - this.#askedAt >= FRESH_MS) {
      this.#askedAt = now;
      this.#latest = this.#queues.counts().then(toReadings, (error) => {
        this.#log.warn(
          { action: 'queue_metrics_failed', err: error },
          'What waits for event steps could not be counted',
        );
        return undefined;
      });
    }
    const late = new Promise<undefined>((resolve) => {
      setTimeout(() => resolve(undefined), WITHIN_MS).unref();
    });
    return Promise.race([this.#latest, late]);
  }
}

function toReadings(counts: QueueCounts[]): QueueReadings {
  const now = Date.now();
  const each = (value: (one: QueueCounts) => number): Readings =>
    counts.map((one) => [[one.step, one.topic], value(one)] as const);
  return {
    motia_queue_depth: each(({ waiting }) => waiting),
    motia_queue_in_flight: each(({ inFlight }) => inFlight),
    motia_queue_later: each(({ later }) => later),
    motia_queue_oldest_age_seconds: each(({ oldest }) =>
      oldest === undefined ? 0 : Math.max(0, now - Date.parse(oldest)) / 1_000,
    ),
    motia_queue_paused: each(({ paused }) => Number(paused)),
    // Of all topics of a step, so each step once.
    motia_dead_letters: [...new Map(counts.map(({ step, dead }) => [step, dead]))].map(([step, dead]) => [
      [step],
      dead,
    ]),
  };
}
