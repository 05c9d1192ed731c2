/** Who may follow a stream, as far as it depends on the gateway: nobody about whom no worker has said so. */
import { afterEach, expect, test } from 'vitest';
import { CallFailed } from '../../../gateway/call-failed.ts';
import { AccessRefused } from '../../../gateway/streams/access.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { provisionManifest } from '../../../shared/broker/provision.ts';
import { createLogger } from '../../../shared/logger.ts';
import { Metrics } from '../../../shared/metrics/metrics.ts';
import { decodeFrame, encodeFrame, type RequestMeta } from '../../../shared/protocol/frames.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { createManifest, type StreamEntry } from '../../../shared/steps/manifest.ts';
import { resolveSettings } from '../../../shared/steps/project-settings.ts';
import { StepWorker, type WorkerServices } from '../../../worker/step-worker.ts';
import type { Job } from '../../../worker/threads/handler-thread.ts';
import { askAccess } from '../../helpers/stream-access.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';

const harness = useNatsServer();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const streamAuth = { authenticate: () => null };
const request = { headers: {}, url: '/?authToken=secret' };
const stored = async ({ jsm }: Broker, { streams }: Names) => (await jsm.streams.info(streams.requests)).state.last_seq;

type Provisioned = Pick<Awaited<ReturnType<typeof provisioned>>, 'broker' | 'names' | 'served'>;

/** An app with a stream that everyone may follow and one that has `canAccess`. */
async function provisioned(config = {}, timeoutMs?: number) {
  const { broker, names } = await harness.app();
  const manifest = createManifest({
    app: names.app,
    steps: [],
    streams: [
      { name: 'open', language: 'node', file: 'src/open.stream.ts' },
      { name: 'guarded', language: 'node', file: 'src/guarded.stream.ts', canAccess: true },
    ],
    settings: resolveSettings(config),
  });
  await provisionManifest(broker, names, manifest, false);
  const asking = await askAccess(broker, names, timeoutMs);
  cleanups.push(() => asking[Symbol.asyncDispose]());
  await waitFor(() => asking.manifest());
  return { ...asking, broker, names, served: manifest };
}

/** A worker whose threads answer with these frames. It takes a part of the app in which there is nothing. */
function startWorker({ broker, names, served }: Provisioned, answer: (job: Job) => Buffer) {
  const pool = {
    dispatch(job: Job) {
      job.onDispatch?.();
      job.onEnd({ status: 'replied', frame: answer(job) }, 1, 0);
    },
    withdrawEvents: () => [],
  };
  const log = createLogger({ level: 'error', pretty: false, destination: { write: () => {} } });
  const worker = new StepWorker(
    { broker, names, pool, log, metrics: new Metrics({ app: 'shop', role: 'worker' }) } as unknown as WorkerServices,
    {
      steps: ['Pay'],
      topics: [],
      flows: [],
    },
  );
  cleanups.push(() => worker.drain(0));
  worker.serve(served, new Map());
}

test('an open stream and an app without streamAuth cost no message', async () => {
  const { access, broker, names } = await provisioned();
  expect(await access.authenticate(request)).toBeNull();
  expect(await access.canAccess('open', { groupId: 'g' }, null)).toBe(true);
  expect(await access.canAccess('no such', { groupId: 'g' }, null)).toBe(false);
  expect(await stored(broker, names)).toBe(0);
});

test('without a worker a client is refused in time, and the log says why without what the client sent', async () => {
  const { access, lines } = await provisioned({ streamAuth }, 400);
  const [authenticated, allowed] = await Promise.all([
    access.authenticate(request).catch((error) => error),
    access.canAccess('guarded', { groupId: 'g' }, null),
  ]);
  expect(authenticated).toBeInstanceOf(CallFailed);
  expect(authenticated).toMatchObject({ status: 503 });
  expect(allowed).toBe(false);
  expect(lines).toMatchObject([{ level: 'warn', action: 'access_undecided', stream: 'guarded', status: 503 }]);
  expect(JSON.stringify(lines)).not.toContain('secret');
});

test('before there is a manifest nobody follows anything', async () => {
  const { broker, names } = await harness.app();
  await using asking = await askAccess(broker, names);
  await expect(asking.access.authenticate(request)).rejects.toThrow(CallFailed);
  expect(await asking.access.canAccess('open', { groupId: 'g' }, null)).toBe(false);
});

test('a question comes as it was asked, and only a clear yes is one', async () => {
  const app = await provisioned({ streamAuth });
  const { access, lines } = app;
  const questions: unknown[] = [];
  const answers = [
    [200, '{"allowed":true}'],
    [200, '{"allowed":"yes"}'],
    [200, '{}'],
    [200, 'null'],
    [200, 'no JSON'],
    [401, '{"allowed":true}'],
    [500, '{"error":"Internal server error","errorId":"e1"}'],
  ] as const;
  const authenticated = [
    [200, '{"context":{"user":"é"}}'],
    [200, '{"context":null}'],
    [401, '{"error":"Authentication failed"}'],
    [200, '{}'],
  ] as const;
  let next = 0;
  startWorker(app, ({ run }) => {
    const { meta, body } = decodeFrame<RequestMeta>((run as { frame: Uint8Array }).frame);
    questions.push([run.step, meta.method, JSON.parse(body.toString())]);
    const [status, text] = [...answers, ...authenticated][next++] ?? [500, ''];
    return encodeFrame({ t: 'end', status, headers: [] }, text);
  });
  const allowed: boolean[] = [];
  for (const _ of answers) allowed.push(await access.canAccess('guarded', { groupId: 'g.1', id: 'é' }, { user: 7 }));
  expect(allowed).toEqual([true, ...answers.slice(1).map(() => false)]);
  expect(lines.at(-1)).toMatchObject({ action: 'access_undecided', status: 500, errorId: 'e1' });
  expect(lines).toMatchObject([{ status: 502 }, { status: 500 }]);
  expect(await access.authenticate({ headers: { cookie: 'a=1', gone: undefined }, url: '/x?y' })).toEqual({
    user: 'é',
  });
  expect(await access.authenticate(request)).toBeNull();
  await expect(access.authenticate(request)).rejects.toThrow(AccessRefused);
  await expect(access.authenticate(request)).rejects.toThrow(CallFailed);
  const asked = { subscription: { groupId: 'g.1', id: 'é' }, authContext: { user: 7 } };
  expect(questions).toEqual([
    ...answers.map(() => ['=canAccess:guarded', 'GET', asked]),
    ['=streamAuth', 'GET', { headers: { cookie: 'a=1' }, url: '/x?y' }],
    ...Array(3).fill(['=streamAuth', 'GET', request]),
  ]);
});

test('a question of more than 256 KB is not asked', async () => {
  const { access, broker, names, lines } = await provisioned();
  expect(await access.canAccess('guarded', { groupId: 'x'.repeat(256 * 1024) }, null)).toBe(false);
  expect(await stored(broker, names)).toBe(0);
  expect(lines).toMatchObject([{ action: 'access_undecided', status: 413 }]);
});

test('a worker of an older version is not asked about a stream that it does not have', async () => {
  const app = await provisioned();
  const { broker, names, access, manifest } = app;
  const answers = { old: 0, new: 0 };
  const answering = (version: keyof typeof answers) => () => {
    answers[version]++;
    return encodeFrame({ t: 'end', status: 200, headers: [] }, JSON.stringify({ allowed: true }));
  };
  startWorker(app, answering('old'));
  const added: StreamEntry = { name: 'added', language: 'node', file: 'src/added.stream.ts', canAccess: true };
  const served = createManifest({ ...app.served, streams: [...(app.served.streams ?? []), added] });
  await provisionManifest(broker, names, served, false);
  startWorker({ broker, names, served }, answering('new'));
  await waitFor(() => manifest()?.streams?.length === served.streams?.length);
  for (let i = 0; i < 20; i++) expect(await access.canAccess('added', { groupId: 'g' }, null)).toBe(true);
  expect(answers).toEqual({ old: 0, new: 20 });
});
