/** Calls that a server of the broker has taken along when it was lost: nobody has heard of them, and no acknowledgement comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { expect, test } from 'vitest';
import { StepCalls, type StepRequest } from '../../../gateway/step-calls.ts';
import { BlobStore } from '../../../shared/broker/blobs.ts';
import { decodeFrame, encodeFrame, type RequestMeta } from '../../../shared/protocol/frames.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';

const harness = useNatsServer();
const names = createNames('lost');

test('one of a safe method is sent again, one that nobody may run twice is not', async () => {
  const broker = await harness.connect();
  const calls = new StepCalls(broker, names, new BlobStore(broker, names.buckets.bodies), pino({ level: 'silent' }));
  const sent: RequestMeta[] = [];
  // In place of the broker stream: takes what is stored, and says nothing.
  broker.nc.subscribe(names.requests, {
    callback: (_, message) => void sent.push(decodeFrame<RequestMeta>(message.data).meta),
  });
  const call = (method: string): ReturnType<StepCalls['call']> => {
    const request: StepRequest = {
      ...{ stepId: 'step', method, url: '/', params: {}, headers: {}, body: Buffer.alloc(0), traceparent: '' },
      timeoutMs: 10_000,
    };
    return calls.call(request);
  };
  const answer = call('GET');
  const lost = call('POST').catch((error) => error);
  const count = (method: string) => sent.filter((meta) => meta.method === method).length;
  await waitFor(() => count('GET') > 1, { what: 'the call once more' });
  const again = sent.findLast(({ method }) => method === 'GET') as RequestMeta;
  broker.nc.publish(again.reply, encodeFrame({ t: 'end', status: 200, headers: [] }, Buffer.from('late')));
  expect((await answer).status).toBe(200);
  expect(await lost).toMatchObject({ status: 503 });
  await sleep(500);
  expect(count('POST')).toBe(1);
  calls.close();
});
