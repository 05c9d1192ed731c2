/** The wire protocol as other languages rely on it: what is in `shared/protocol/golden` changes with a new protocol version only. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toHeaders } from '../../../shared/broker/json-bucket.ts';
import type { TelemetryEnvironment } from '../../../shared/config.ts';
import { type PayloadRecord, Payloads } from '../../../shared/payloads.ts';
import { decodeToken, encodeToken, encodeTopic } from '../../../shared/protocol/encoding.ts';
import { namesOf, toNamesHeader } from '../../../shared/protocol/entry-names.ts';
import { givenMessageId } from '../../../shared/protocol/event-ids.ts';
import {
  type Credit,
  decodeCredit,
  decodeFrame,
  encodeCredit,
  encodeFrame,
  LARGEST_CHUNK,
  type ReplyMeta,
  type RequestMeta,
  STREAM_WINDOW,
} from '../../../shared/protocol/frames.ts';
import { createNames, inboxPrefix, type Names } from '../../../shared/protocol/subjects.ts';
import { RecordedSpan } from '../../../shared/recorded-span.ts';
import { Redaction } from '../../../shared/redaction.ts';
import { createSampling } from '../../../shared/sampling.ts';
import { type SpanRecord, spanLine, traceOfLog, traceOfSpan } from '../../../shared/telemetry-records.ts';
import { beganAt, parseTraceparent, type TraceContext } from '../../../shared/trace-ids.ts';
import { ActiveRun, type RunIdentity } from '../../../worker/handler/active-run.ts';
import { RunSlots } from '../../../worker/threads/run-slots.ts';

function golden<Content>(file: string): Content {
  return JSON.parse(
    readFileSync(new URL(`../../../shared/protocol/golden/${file}`, import.meta.url), 'utf8'),
  ) as Content;
}

const encoding = golden<{
  tokens: { name: string; token: string; decodes: boolean }[];
  topics: { topic: string; subject: string }[];
}>('encoding.json');

test.each(encoding.tokens)('the token of $name', ({ name, token, decodes }) => {
  expect(encodeToken(name)).toBe(token);
  expect(decodeToken(token)).toBe(decodes ? name : undefined);
});

test.each(encoding.topics)('the subject of topic $topic', ({ topic, subject }) => {
  expect(encodeTopic(topic)).toBe(subject);
});

const subjects = golden<{
  app: string;
  streams: object;
  buckets: object;
  fixed: Record<string, string>;
  /** First, second and last one, and how many there are. */
  partitions: unknown[];
  inbox: { publicKey: string; prefix: string };
  made: { name: keyof Names; arguments: string[]; is: string }[];
}>('subjects.json');

test('every name that an app has on the broker is in the golden file', () => {
  const { app, streams, buckets, partitions, ...rest } = createNames(subjects.app);
  expect([partitions[0], partitions[1], partitions.at(-1), partitions.length]).toEqual(subjects.partitions);
  expect({ app, streams, buckets }).toEqual({
    app: subjects.app,
    streams: subjects.streams,
    buckets: subjects.buckets,
  });
  const fixed = Object.entries(rest).filter(([, value]) => typeof value === 'string');
  expect(Object.fromEntries(fixed)).toEqual(subjects.fixed);
  const made = Object.entries(rest).filter(([, value]) => typeof value === 'function');
  expect(new Set(subjects.made.map(({ name }) => name))).toEqual(new Set(made.map(([name]) => name)));
});

test('the inboxes of a user', () => {
  expect(inboxPrefix(subjects.inbox.publicKey)).toBe(subjects.inbox.prefix);
});

test.each(subjects.made)('$name of $arguments', ({ name, arguments: args, is }) => {
  const make = createNames(subjects.app)[name] as (...args: string[]) => string;
  expect(make(...args)).toBe(is);
});

const state = golden<{
  names: { names: string[]; key: string; header: string | null }[];
  told: { key: string; header: string; names: string[] }[];
  expiring: { entries: { expiresAt: number; now: number; headers: Record<string, string> }[] };
}>('state.json');

test.each(state.names)('the names of $names', ({ names, key, header }) => {
  expect(names.map(encodeToken).join('.')).toBe(key);
  expect(toNamesHeader(key, names) ?? null).toBe(header);
  expect(namesOf(key, header ?? '')).toEqual(names);
});

test.each(state.told)('the names that are told of $key', ({ key, header, names }) => {
  expect(namesOf(key, header)).toEqual(names);
});

test.each(state.expiring.entries)('an entry that is stored at $now', ({ expiresAt, now, headers }) => {
  expect(toHeaders({ expiresAt }, now)).toEqual(headers);
});

const { frames, credits, window, largestChunk } = golden<{
  frames: { what: string; meta: RequestMeta | ReplyMeta; body: string; frame: string }[];
  credits: { what: string; credit: Credit; text: string }[];
  window: number;
  largestChunk: number;
}>('frames.json');

test.each(frames)('the frame of $what', ({ meta, body, frame }) => {
  expect(encodeFrame(meta, Buffer.from(body, 'hex')).toString('hex')).toBe(frame);
  const read = decodeFrame(Buffer.from(frame, 'hex'));
  expect({ meta: read.meta, body: read.body.toString('hex') }).toEqual({ meta, body });
});

test.each(credits)('the credit of a streamed answer: $what', ({ credit, text }) => {
  expect(encodeCredit(credit)).toBe(text);
  expect(decodeCredit(text)).toEqual(credit);
});

test('how much of a streamed answer may be on its way', () => {
  expect([STREAM_WINDOW, LARGEST_CHUNK]).toEqual([window, largestChunk]);
});

const { ids, givenIds } = golden<{
  givenIds: { topic: string; id: string; messageId: string }[];
  ids: { run: string; step: string; topic: string; json: string; before: number; id: string }[];
}>('events.json');

test.each(givenIds)('the message id of an event that is emitted to $topic as $id', ({ topic, id, messageId }) => {
  expect(givenMessageId(topic, id)).toBe(messageId);
});

test.each(ids)('the id of $json on $topic from run $run of $step, after $before of the same', (wanted) => {
  const identity = {
    step: { entry: { id: wanted.step } },
    slot: 0,
    messageId: wanted.run,
    attempt: 1,
    span: {},
  } as RunIdentity;
  const run = new ActiveRun(identity, new RunSlots(), () => {});
  for (let i = 0; i < wanted.before; i++) run.eventId(wanted.topic, wanted.json);
  run.eventId(wanted.topic, '"another"'); // what else the run emits makes no difference
  expect(run.eventId(wanted.topic, wanted.json)).toBe(wanted.id);
});

const telemetry = golden<{
  spans: { what: string; line: SpanRecord }[];
  traceOfLog: { line: string; traceId: string | null }[];
  beganAt: { traceId: string; is: number }[];
  sampled: { traceId: string; ratio: number; is: boolean }[];
}>('telemetry.json');

test.each(telemetry.spans)('the stored span of $what', ({ line }) => {
  const toContext = (traceparent: string) => parseTraceparent(traceparent) as TraceContext;
  const { traceId, spanId, parentId, name, kind, start, end, error, attributes, events = [], links } = line;
  const parent = parentId === undefined ? undefined : toContext(`00-${traceId}-${parentId}-01`);
  const span = new RecordedSpan(
    toContext(`00-${traceId}-${spanId}-01`),
    parent,
    name,
    { kind, startedAt: start - performance.timeOrigin, ...(attributes && { attributes }), ...(links && { links }) },
    () => {},
  );
  for (const event of events) {
    span.addEvent(event.name, event.attributes, event.time);
  }
  if (error !== undefined) span.fail(error);
  if (end !== undefined) span.end(end - performance.timeOrigin);
  const written = spanLine(span);
  expect(JSON.parse(written)).toEqual(line);
  expect(traceOfSpan(written)).toBe(traceId);
});

test.each(telemetry.traceOfLog)('the trace of the log line $line', ({ line, traceId }) => {
  expect(traceOfLog(line)).toBe(traceId ?? undefined);
});

test.each(telemetry.beganAt)('when trace $traceId began', ({ traceId, is }) => {
  expect(beganAt(traceId)).toBe(is);
});

test.each(telemetry.sampled)('whether trace $traceId is sampled at $ratio', ({ traceId, ratio, is }) => {
  const settings = { sampler: 'traceidratio', samplerRatio: ratio } as TelemetryEnvironment;
  expect(createSampling(settings)(undefined, traceId)).toBe(is);
});

const { payloads } = golden<{ payloads: { what: string; redact: string[]; json: string; record: PayloadRecord }[] }>(
  'payloads.json',
);

test.each(payloads)('the payload that a span bears: $what', ({ redact, json, record }) => {
  expect(new Payloads(new Redaction(redact)).json(json)).toEqual(record);
});
