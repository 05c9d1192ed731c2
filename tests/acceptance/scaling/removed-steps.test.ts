/** Steps that are renamed while their events wait, and versions of an app that run side by side. */
import { rm, writeFile } from 'node:fs/promises';
import type { MsgRequest } from '@nats-io/jetstream';
import { describe, expect, test } from 'vitest';
import { readManifest } from '../../../shared/broker/manifest-store.ts';
import { readLeases } from '../../../shared/broker/worker-lease.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { eventStep, type Language, type SharedWork, startSharedWork, stepFile } from './shared-work.ts';

async function subscriptions({ broker, names }: SharedWork): Promise<string[]> {
  return (await broker.jsm.consumers.list(names.streams.events).next()).map(({ name }) => name).sort();
}

async function deadLetters({ broker, names }: SharedWork): Promise<{ n: number; reason: string }[]> {
  const letters: { n: number; reason: string }[] = [];
  for (let seq = 1; ; ) {
    const query = { seq, next_by_subj: names.dead('Old') } as MsgRequest;
    const message = await broker.jsm.streams.getMessage(names.streams.dead, query);
    if (!message) return letters;
    const { message: reason } = JSON.parse(decodeURIComponent(message.header.get('Motia-Error')));
    letters.push({ n: message.json<{ n: number }>().n, reason });
    seq = message.seq + 1;
  }
}

describe.each<Language>(['node', 'python'])('%s', (language) => {
  test('a rolling deployment that renames a step', async (context) => {
    const env = language === 'python' ? await pythonEnvironment(context) : {};
    const file = stepFile(language, 'work');
    await using work = await startSharedWork(language, { [file]: eventStep(language, 'Old', ['work']) }, env);
    const { project, names } = work;
    const [old, renamed] = [names.subscription('Old', 'work'), names.subscription('New', 'work')];
    const first = await work.startWorker('first');

    await rm(project.path(file));
    await writeFile(project.path(stepFile(language, 'renamed')), eventStep(language, 'New', ['work']));
    expect(await work.provision('--remove-orphans', '--force'), 'the old worker lives').not.toContain('Not in use');
    await work.startWorker('second');
    await work.emit('work', 10); // both versions have it, as any two steps
    expect((await work.waitForRuns(20)).map(({ worker }) => worker).sort()).toEqual([
      ...Array(10).fill('first'),
      ...Array(10).fill('second'),
    ]);
    expect(await work.provision('--remove-orphans', '--force')).not.toContain('Not in use');
    expect(await subscriptions(work)).toEqual([renamed, old]);

    expect(await first.stop()).toBe(0);
    await work.emit('work', 5);
    await work.waitForRuns(25);
    expect(await work.provision()).toContain(`Not in use any more: ${old} of Old, in which 5 wait`);
    const gateway = await work.startGateway('secret');
    const listed = await gateway.fetch('/__motia/api/v1/orphans', { headers: { authorization: 'Bearer secret' } });
    expect(await listed.json()).toEqual([{ stream: names.streams.events, durable: old, step: 'Old', waiting: 5 }]);
    expect((await gateway.fetch('/__motia/api/v1/orphans')).status).toBe(401);
    expect(await work.provision('--remove-orphans')).toContain('in which 5 wait');
    expect(await subscriptions(work)).toEqual([renamed, old]);
    expect(await work.provision('--remove-orphans', '--force')).toContain('removed; 5 were moved to the dead letters');
    expect(await subscriptions(work)).toEqual([renamed]);
    expect(await deadLetters(work)).toEqual([0, 1, 2, 3, 4].map((n) => ({ n, reason: 'the step is gone' })));
  });

  test('a worker of an older version leaves the newer manifest until that is gone', async (context) => {
    const env = language === 'python' ? await pythonEnvironment(context) : {};
    const files = { old: stepFile(language, 'work'), renamed: stepFile(language, 'renamed') };
    const old = eventStep(language, 'Old', ['work']);
    await using work = await startSharedWork(language, { [files.old]: old }, env);
    const { project, broker, names } = work;
    const current = async () => (await readManifest(broker, names))?.steps.map(({ id }) => id).join();
    await rm(project.path(files.old));
    await writeFile(project.path(files.renamed), eventStep(language, 'New', ['work']));
    const newer = await work.startWorker('newer');
    expect(await current()).toBe('New');
    await rm(project.path(files.renamed));
    await writeFile(project.path(files.old), old);
    await work.startWorker('older');
    await work.emit('work', 1);
    expect((await work.waitForRuns(2)).map(({ worker }) => worker).sort()).toEqual(['newer', 'older']);
    expect(await current()).toBe('New');
    await newer.stop();
    await waitFor(async () => (await current()) === 'Old', { within: 15_000 });
  });
});

// Side by side, since a lease takes half a minute.
test.concurrent.for<Language>(['node', 'python'])(
  '%s: a worker that is killed is forgotten when its lease is over, and not before',
  async (language, context) => {
    const env = language === 'python' ? await pythonEnvironment(context) : {};
    const files = { [stepFile(language, 'work')]: eventStep(language, 'Old', ['work']) };
    await using work = await startSharedWork(language, files, env);
    const { broker, names } = work;
    const consumer = `${names.streams.events}/${names.subscription('Old', 'work')}`;
    const worker = await work.startWorker('first');
    expect([...(await readLeases(broker, names))]).toEqual([consumer]);
    for (const { pid } of await worker.processes()) process.kill(pid, 'SIGKILL'); // a Python worker has several
    await worker.exited;
    expect([...(await readLeases(broker, names))]).toEqual([consumer]);
    await waitFor(async () => (await readLeases(broker, names)).size === 0, { within: 45_000, every: 500 });
  },
);
