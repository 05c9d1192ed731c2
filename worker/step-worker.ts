/** The job loop of one worker: a consumer for each API step, cron step and subscription, kept in step with the manifest. */
import { ensureConsumer, type Source, subscriptionSources } from '../shared/broker/consumers.ts';
import { endFormerPartition, type FormerPartitions } from '../shared/broker/former-partitions.ts';
import type { HeldEvent } from '../shared/broker/holdings.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import type { RunKind } from '../shared/metrics/definitions.ts';
import { servedSteps } from '../shared/steps/access-steps.ts';
import { type AppPart, takesStep, takesTopic } from '../shared/steps/app-part.ts';
import type { Manifest } from '../shared/steps/manifest.ts';
import { CronConsumer, type CronServices } from './cron-consumer.ts';
import { EventConsumer, type EventServices } from './event-consumer.ts';
import { RequestConsumer } from './request-consumer.ts';

type StepConsumer = RequestConsumer | EventConsumer | CronConsumer;
export type WorkerServices = EventServices & CronServices;

/** A quarter of the shortest ack wait: each consumer renews what is due by its own. */
const RENEW_MS = 250;
/** How often it is looked whether a former partition is done with. */
const END_FORMER_MS = 2_000;
const RECOVER_AFTER_MS = 100;
/** Gateways learn of a new version within this time. */
const CALLS_COME_FOR_MS = 2_000;

export class StepWorker {
  readonly #services: WorkerServices;
  readonly #part: AppPart;
  #consumers = new Map<string, StepConsumer>();
  /** Of steps that are gone from the app: they end when what they hold is done. */
  readonly #retired = new Set<StepConsumer>();
  #renewal: NodeJS.Timeout | undefined;
  #ending: NodeJS.Timeout | undefined;
  #recovering: Promise<void> | undefined;
  #stopped = false;

  /** @param part what it takes of the steps that it is to serve. */
  constructor(services: WorkerServices, part: AppPart) {
    this.#services = services;
    this.#part = part;
  }

  /** Takes work for the steps of this manifest, and the rest of what was FIFO before. What an unchanged step holds goes on undisturbed. */
  serve(manifest: Manifest, former: FormerPartitions): void {
    const before = this.#consumers;
    this.#consumers = new Map();
    for (const [key, make] of this.#wanted(manifest, former)) {
      const existing = before.get(key);
      before.delete(key);
      const consumer = existing ?? make();
      if (!existing) consumer.puller.start();
      this.#consumers.set(key, consumer);
    }
    for (const consumer of before.values()) this.#retire(consumer);
    this.#renewal ??= setInterval(() => this.#renew(), RENEW_MS).unref();
    if (!this.#services.broker.locked)
      this.#ending ??= setInterval(() => void this.#endFormer(), END_FORMER_MS).unref();
  }

  /** Where it takes work from. */
  get sources(): Source[] {
    return [...this.#consumers.values()].map(({ source }) => source);
  }

  /** How many messages it holds of each step. */
  *holding(): Generator<[labels: [step: string, kind: RunKind], count: number]> {
    const held = new Map<string, [labels: [string, RunKind], count: number]>();
    for (const consumer of this.#holders) {
      const kind = consumer.kind;
      const entry = held.get(`${kind} ${consumer.step.id}`) ?? [[consumer.step.id, kind], 0];
      entry[1] += consumer.load;
      held.set(`${kind} ${consumer.step.id}`, entry);
    }
    yield* held.values();
  }

  /** The events that it has of these consumers. */
  holdings(durables: ReadonlySet<string>): HeldEvent[] {
    return this.#holders.flatMap((consumer) =>
      consumer instanceof EventConsumer && durables.has(consumer.source.durable) ? consumer.holdings : [],
    );
  }

  /** The caller of this request is gone. */
  cancel(requestId: string): void {
    for (const consumer of this.#holders) if (consumer instanceof RequestConsumer) consumer.cancel(requestId);
  }

  /** The connection is lost, and with it perhaps a piece of an answer. */
  onDisconnect(): void {
    this.#cutOffStreams('the connection to the broker was lost');
  }

  /** The connection is back. What was asked for by the former one will not come. */
  onReconnect(): void {
    for (const { puller } of this.#holders) puller.restart();
    this.#makeAgain();
  }

  /** Memory streams and their consumers may be gone with the server. */
  #makeAgain(): void {
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = undefined;
    });
  }

  /** Stops taking work; resolves when nothing is under way any more, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#stopped = true;
    for (const consumer of this.#holders) consumer.puller.stop();
    for (const consumer of this.#holders) if (consumer instanceof EventConsumer) consumer.handBackWaiting();
    for (const job of this.#services.pool.withdrawEvents()) job.onEnd({ status: 'displaced' }, 0, 0); // handed back
    const giveUp = Date.now() + graceMs;
    while (Date.now() < giveUp && this.#holders.some(({ load }) => load > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#cutOffStreams('the worker shuts down');
    clearInterval(this.#renewal);
    clearInterval(this.#ending);
    // What the broker had sent before it heard that we stopped is on the wire: it is handed back when it comes.
    await this.#services.broker.flush().catch(() => {});
    for (const consumer of this.#holders) consumer.puller.close();
  }

  *#wanted(manifest: Manifest, former: FormerPartitions): Generator<[key: string, make: () => StepConsumer]> {
    const onGone = () => this.#makeAgain();
    for (const step of servedSteps(manifest)) {
      if (step.language !== 'node') continue;
      if (step.type === 'api') {
        if (!takesStep(this.#part, step)) continue;
        yield [`api ${step.id}`, () => new RequestConsumer(this.#services, step, onGone)];
      } else if (step.type === 'event') {
        for (const topic of new Set(step.subscribes)) {
          if (!takesTopic(this.#part, step, topic)) continue;
          // Delivery settings are part of the key: changed ones make a new consumer.
          const settings = JSON.stringify(step.infrastructure ?? {});
          for (const source of subscriptionSources(this.#services.names, step, topic)) {
            const groupsAfter = former.get(source.durable)?.boundary;
            const from = groupsAfter === undefined ? source : { ...source, groupsAfter };
            const key = `event ${source.durable} ${groupsAfter} ${settings}`;
            yield [key, () => new EventConsumer(this.#services, step, topic, from, onGone)];
            for (const rest of former.get(source.durable)?.left ?? []) {
              // Not to be made again: it goes when it is empty.
              yield [`rest ${rest.durable}`, () => new EventConsumer(this.#services, step, topic, rest, () => {})];
            }
          }
        }
      } else if (step.type === 'cron') {
        if (!takesStep(this.#part, step)) continue;
        const key = `cron ${step.id} ${step.missed} ${step.overlap}`;
        yield [key, () => new CronConsumer(this.#services, step, onGone)];
      }
    }
  }

  #renew(): void {
    for (const consumer of this.#holders) if (!(consumer instanceof RequestConsumer)) consumer.renew();
  }

  async #endFormer(): Promise<void> {
    const { broker, names, log } = this.#services;
    for (const [key, consumer] of this.#consumers) {
      if (consumer.source.runsUntil === undefined || consumer.load > 0) continue;
      try {
        if (!(await endFormerPartition(broker, names, consumer.source))) continue;
        this.#consumers.delete(key);
        this.#retire(consumer);
      } catch (error) {
        log.warn({ action: 'partition_left', err: error }, 'A former partition could not be looked at; trying again');
      }
    }
  }

  async #recover(): Promise<void> {
    const { broker, names, log } = this.#services;
    let isTold = false;
    while (!this.#stopped) {
      try {
        await broker.whenConnected(60_000);
        await ensureTopology(broker, names);
        await Promise.all(
          [...this.#consumers.values()]
            .filter(({ source }) => source.runsUntil === undefined)
            .map(async ({ source, step, puller }) => {
              await ensureConsumer(broker, source, step.name);
              puller.pull(); // the others may take longer
            }),
        );
        return;
      } catch (error) {
        if (!isTold) log.warn({ action: 'recover_failed', err: error }, 'The broker is not ready yet; trying again');
        isTold = true;
        await new Promise((resolve) => setTimeout(resolve, RECOVER_AFTER_MS));
      }
    }
  }

  #cutOffStreams(reason: string): void {
    for (const consumer of this.#holders) if (consumer instanceof RequestConsumer) consumer.cutOffStreams(reason);
  }

  /** Calls come until the gateways know of the new version; they are answered with 404 then. */
  #retire(consumer: StepConsumer): void {
    this.#retired.add(consumer);
    if (consumer instanceof RequestConsumer) setTimeout(() => consumer.puller.stop(), CALLS_COME_FOR_MS).unref();
    else consumer.puller.stop();
    const retiredAt = Date.now();
    const check = setInterval(() => {
      if (consumer.load > 0 || Date.now() - retiredAt < CALLS_COME_FOR_MS) return;
      clearInterval(check);
      consumer.puller.close();
      this.#retired.delete(consumer);
    }, 250).unref();
  }

  /** Everyone who may hold something. */
  get #holders(): StepConsumer[] {
    return [...this.#consumers.values(), ...this.#retired];
  }
}
