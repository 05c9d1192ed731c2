/** What a worker tells the caller of a streamed answer, and what it hears. The handler thread is this test. */
import { afterEach, expect, test } from 'vitest';
import { ensureConsumer } from '../../../shared/broker/consumers.ts';
import { createLogger } from '../../../shared/logger.ts';
import { Metrics } from '../../../shared/metrics/metrics.ts';
import {
  type Credit,
  decodeFrame,
  encodeCredit,
  encodeFrame,
  type ReplyMeta,
  type RequestMeta,
} from '../../../shared/protocol/frames.ts';
import type { StepEntry } from '../../../shared/steps/manifest.ts';
import { CreditInbox } from '../../../worker/credit-inbox.ts';
import { type ConsumerServices, RequestConsumer } from '../../../worker/request-consumer.ts';
import type { HandlerThread, Job } from '../../../worker/threads/handler-thread.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';

const harness = useNatsServer();
const consumers: RequestConsumer[] = [];
afterEach(() => {
  for (const { puller } of consumers.splice(0)) puller.close();
});

const GET = { id: 'Get', name: 'Get', type: 'api', method: 'GET', path: '/', emits: [] } as unknown as StepEntry;
const HEAD = encodeFrame({ t: 'head', status: 200, headers: [] });
const CHUNK = encodeFrame({ t: 'chunk', n: 1 }, 'x');

/** A call that a thread has begun to answer bit by bit, with a deadline that is over soon. */
async function streaming() {
  const { broker, names } = await harness.app();
  const said: [what: string, ...details: unknown[]][] = [];
  const jobs: Job[] = [];
  const pool = { dispatch: (job: Job) => jobs.push(job), withdraw: () => true };
  const log = createLogger({ level: 'error', pretty: false, destination: { write: () => {} } });
  const metrics = new Metrics({ app: 'test', role: 'worker' });
  const credits = new CreditInbox(broker);
  const services = { broker, names, pool, log, credits, metrics } as unknown as ConsumerServices;
  const consumer = new RequestConsumer(services, GET, () => {});
  consumers.push(consumer);
  await ensureConsumer(broker, consumer.source, 'Get');
  consumer.puller.start();

  const gateway = await harness.connect();
  const frames: ReplyMeta[] = [];
  let creditTo = '';
  const replies = gateway.nc.subscribe('replies', {
    callback: (_error, message) => {
      frames.push(decodeFrame<ReplyMeta>(message.data).meta);
      creditTo = message.reply ?? '';
    },
  });
  await gateway.flush();
  const now = Date.now();
  const meta: RequestMeta = {
    v: 1,
    id: 'r1',
    reply: 'replies',
    startBy: now + 5_000,
    deadline: now + 1_000,
    traceparent: '',
    method: 'GET',
    url: '/',
    params: {},
    headers: {},
  };
  broker.nc.publish(names.request('Get'), encodeFrame(meta));
  const job = await waitFor(() => jobs[0]);
  const thread = {
    credit: (slot: number, taken: number) => said.push(['credit', slot, taken]),
    giveUp: (slot: number, reason: string) => said.push(['giveUp', slot, reason]),
  };
  job.at = { thread: thread as unknown as HandlerThread, slot: 7 };
  job.onDispatch?.();
  job.onFrame?.(HEAD);
  job.onFrame?.(CHUNK);
  await waitFor(() => frames.length === 2);
  return {
    broker,
    consumer,
    job,
    frames,
    said,
    replies,
    tell: (credit: Credit) => gateway.nc.publish(creditTo, encodeCredit(credit)),
    leftOnBroker: async () => {
      const { stream, durable } = consumer.source;
      const { num_ack_pending, num_pending } = await broker.jsm.consumers.info(stream, durable);
      return num_ack_pending + num_pending;
    },
  };
}

test("from its head on a call of a safe method is nobody else's, and goes on after its deadline", async () => {
  const { consumer, job, frames, said, tell, leftOnBroker } = await streaming();
  await waitFor(async () => (await leftOnBroker()) === 0);
  expect(job.restartable).toBe(false);
  await waitFor(() => frames.filter(({ t }) => t === 'beat').length >= 2); // one for each second
  expect(frames.at(-1)).toEqual({ t: 'beat', n: 2 });
  tell({ taken: 1 });
  await waitFor(() => said.length > 0);
  job.onEnd({ status: 'replied', frame: encodeFrame({ t: 'end', n: 2 }) }, 1, 0);
  await waitFor(() => frames.at(-1)?.t === 'end');
  expect([consumer.load, said]).toEqual([0, [['credit', 7, 1]]]);
});

test.each<[who: string, leave: (stream: Awaited<ReturnType<typeof streaming>>) => void]>([
  ['a client that leaves', ({ tell }) => tell({ gone: true })],
  ['a gateway that is lost', ({ replies }) => replies.unsubscribe()],
])('%s: the run is given up', async (_, leave) => {
  const stream = await streaming();
  leave(stream);
  await waitFor(() => stream.said.length > 0);
  expect([stream.consumer.load, stream.said]).toEqual([0, [['giveUp', 7, 'the caller is gone']]]);
});

test('a worker that shuts down tells those whose answers it cuts off, at once', async () => {
  const { consumer, frames, said } = await streaming();
  consumer.cutOffStreams('the worker shuts down');
  await waitFor(() => frames.at(-1)?.t === 'error');
  expect([consumer.load, said]).toEqual([0, [['giveUp', 7, 'the worker shuts down']]]);
});

test('a thread that ends in the middle of an answer: its caller is told', async () => {
  const { job, frames } = await streaming();
  job.onEnd({ status: 'displaced' }, 0, 0);
  await waitFor(() => frames.at(-1)?.t === 'error');
});
