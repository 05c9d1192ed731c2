/**
 * Calls with an `Idempotency-Key`: the first answer is stored before its caller has it, and later calls with that key get the same one.
 * The handler may still run twice, if its worker or the gateway is lost in the middle: what is had once is the answer.
 *
 * An answer that is streamed is not kept: its key is taken until it has ended, and free then.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pino from 'pino';
import { BlobStore } from '../shared/broker/blobs.ts';
import type { Broker } from '../shared/broker/connect.ts';
import { type Entry, readLast, replaceEntry } from '../shared/broker/key-value.ts';
import { type AnswerMeta, decodeFrame, encodeFrame, type ReplyMeta } from '../shared/protocol/frames.ts';
import { Header } from '../shared/protocol/headers.ts';
import type { Names } from '../shared/protocol/subjects.ts';
import type { AnswerStream } from './answer-stream.ts';
import { CallFailed } from './call-failed.ts';
import type { StepCalls, StepRequest, StepResponse } from './step-calls.ts';

export interface KeyedRequest extends StepRequest {
  /** From the `Idempotency-Key` header. */
  key: string;
  /** How long the answer is kept. */
  windowMs: number;
}

/** An answer, and whether an earlier call has had it already. */
export type KeyedResponse = StepResponse & { replayed: boolean };

export const DEFAULT_WINDOW_MS = 24 * 60 * 60_000;
const LONGEST_KEY = 255;
const LOOK_AGAIN_MS = 100;

export class KeyedCalls {
  readonly #calls: StepCalls;
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #bucket: string;
  readonly #bodies: BlobStore;
  readonly #log: pino.Logger;
  readonly #marginMs: number;

  /** @param marginMs a call whose gateway is lost is forgotten this long after its deadline. */
  constructor(calls: StepCalls, broker: Broker, names: Names, log: pino.Logger, marginMs = 5_000) {
    this.#calls = calls;
    this.#broker = broker;
    this.#names = names;
    this.#bucket = names.buckets.answers;
    this.#bodies = new BlobStore(broker, this.#bucket);
    this.#log = log;
    this.#marginMs = marginMs;
  }

  /**
   * Calls a step, or gives the answer of an earlier call with this key; one that goes on is waited for.
   * @throws {CallFailed} with the status to tell the client: 400 for a bad key, 422 for the key of another request, 409 if an earlier
   * call goes on for too long.
   */
  async call(request: KeyedRequest): Promise<KeyedResponse> {
    const { key, stepId, timeoutMs } = request;
    if (key === '' || key.length > LONGEST_KEY) {
      throw new CallFailed(400, `An Idempotency-Key has 1 to ${LONGEST_KEY} characters`);
    }
    const place = this.#names.answerKey(stepId, key);
    const fingerprint = fingerprintOf(request);
    const giveUp = Date.now() + timeoutMs;
    try {
      for (;;) {
        const { entry, revision } = await readLast(this.#broker, this.#bucket, place);
        if (!entry) {
          const claim = await this.#claim(place, revision, fingerprint, timeoutMs);
          if (!claim) continue; // another one was faster
          const response = await this.#callAndStore(request, place, claim, fingerprint);
          if (response) return { ...response, replayed: false };
          continue;
        }
        if (entry.header(Header.request) !== fingerprint) {
          throw new CallFailed(422, 'This Idempotency-Key was used for another request');
        }
        const answer = await this.#read(entry);
        if (answer) return { ...answer, replayed: true };
        if (Date.now() >= giveUp) throw new CallFailed(409, 'A call with this Idempotency-Key still goes on');
        await sleep(LOOK_AGAIN_MS);
      }
    } catch (error) {
      if (error instanceof CallFailed) throw error;
      this.#log.error(
        { action: 'answer_not_stored', err: error },
        'The answer for an Idempotency-Key could not be kept',
      );
      throw new CallFailed(502, 'The outcome of this call is unknown');
    }
  }

  /** @returns the revision of the claim; nothing, or 0, if another call has the key. */
  #claim(place: string, revision: number, fingerprint: string, timeoutMs: number): Promise<number | undefined> {
    return replaceEntry(this.#broker, this.#bucket, place, encodeFrame({ t: 'started' }), revision, {
      [Header.request]: fingerprint,
      'Nats-TTL': ttl(timeoutMs + this.#marginMs),
    });
  }

  /**
   * A caller that goes away does not cancel the call: it may come back for the answer.
   * @returns `undefined` if the claim had run out, and another call has the key now.
   */
  async #callAndStore(
    request: KeyedRequest,
    place: string,
    claim: number,
    fingerprint: string,
  ): Promise<StepResponse | undefined> {
    let response: StepResponse;
    try {
      response = await this.#calls.call(request);
    } catch (error) {
      await this.#release(place, claim);
      throw error;
    }
    if (response.stream) {
      void this.#holdWhileStreamed(response.stream, request, place, claim, fingerprint);
      return response;
    }
    if (response.status >= 500) {
      await this.#release(place, claim);
      return response;
    }
    const { status, headers, body } = response;
    const meta: AnswerMeta = { t: 'end', status, headers };
    const isLarge = this.#bodies.needed(body.length);
    if (isLarge) meta.blob = await this.#bodies.put(body);
    const frame = encodeFrame(meta, isLarge ? undefined : body);
    const entryHeaders = { [Header.request]: fingerprint, 'Nats-TTL': ttl(request.windowMs) };
    for (let revision = claim; ; ) {
      const stored = await replaceEntry(this.#broker, this.#bucket, place, frame, revision, entryHeaders);
      if (stored !== undefined) return response;
      const last = await readLast(this.#broker, this.#bucket, place);
      if (last.entry) return undefined;
      revision = last.revision; // the claim has run out, and nobody else has come
    }
  }

  /** The claim would run out shortly after the deadline, which does not count for what is streamed. Never rejects. */
  async #holdWhileStreamed(
    stream: AnswerStream,
    { timeoutMs }: KeyedRequest,
    place: string,
    claim: number,
    fingerprint: string,
  ): Promise<void> {
    let revision = claim;
    let ended = false;
    const over = stream.over.then(() => {
      ended = true;
    });
    for (;;) {
      await Promise.race([over, sleep((timeoutMs + this.#marginMs) / 3, undefined, { ref: false })]);
      if (ended) return this.#release(place, revision);
      const renewed = await this.#claim(place, revision, fingerprint, timeoutMs).catch(() => undefined);
      if (renewed) revision = renewed;
    }
  }

  /** The next call with this key runs. Without the broker, the claim runs out by itself. */
  async #release(place: string, claim: number): Promise<void> {
    const mark = { 'KV-Operation': 'DEL', 'Nats-TTL': ttl(this.#marginMs) };
    await replaceEntry(this.#broker, this.#bucket, place, '', claim, mark).catch(() => {});
  }

  /** @returns `undefined` while the call goes on. */
  async #read({ data }: Entry): Promise<StepResponse | undefined> {
    const { meta, body } = decodeFrame<ReplyMeta>(data);
    if (meta.t !== 'end' || meta.status === undefined) return undefined;
    const { status, headers, blob } = meta;
    return { status, headers, body: blob === undefined ? body : await this.#bodies.get(blob) };
  }
}

/** What makes two requests the same one. Whoever shows other credentials gets nobody else's answer. */
function fingerprintOf({ key, method, url, headers, body }: KeyedRequest): string {
  const { authorization = '', cookie = '', 'content-type': type = '' } = headers;
  const hash = createHash('sha256').update(JSON.stringify([key, method, url, type, authorization, cookie]));
  return hash.update('\0').update(body).digest('base64url');
}

/** The broker counts whole seconds. */
const ttl = (ms: number): string => `${Math.max(1, Math.ceil(ms / 1_000))}s`;
