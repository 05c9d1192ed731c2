/** Answers that come bit by bit: what arrives, how fast, and what everyone is told when it does not. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { openStream } from '../../../helpers/http.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import { CALL_TIMEOUT_S, type World } from '../world.ts';

const MB = 1024 * 1024;
/** What sockets, the broker and everyone on the way may hold of an answer that nobody takes. */
const ON_ITS_WAY = 20 * MB;
const PIECES = Buffer.concat([Buffer.from('é'), Buffer.from([0, 255]), Buffer.from('end')]);

const get = ({ gateway }: World, how: string, query = '') => openStream(`${gateway.url}/streamed/${how}?${query}`);
const post = ({ gateway }: World, how: string, query = '', headers = {}) =>
  openStream(`${gateway.url}/streamed/${how}?${query}`, { method: 'POST', headers });
const open = (world: World, id: string) => world.state(['set', 'gates', id, true]);

/** Resolves once the broker has nothing of this step any more, and its worker no run. */
async function waitForClosed(world: World, id: string): Promise<void> {
  await world.waitForNotes(id, 'closed', 1, 10_000);
  const ticks = (await world.notes(id, 'ticked')).length;
  await sleep(300);
  expect(await world.notes(id, 'ticked')).toHaveLength(ticks);
}

export const streamedAnswerCases: Case[] = [
  {
    name: 'a streamed answer arrives while its handler goes on, with its status and headers first',
    async run(world) {
      for (const send of [get, post]) {
        const id = world.newId();
        const answer = await send(world, 'gated', `id=${id}&type=text/event-stream&status=201`);
        const { status, headers } = answer;
        expect([status, headers['content-type'], headers['x-how']]).toEqual([201, 'text/event-stream', 'gated']);
        expect(headers).not.toHaveProperty('content-length');
        await answer.until(send === get ? 'first\n' : 'FIRST\n'); // POST has a middleware that changes the body
        expect(await world.notes(id, 'gated ended')).toEqual([]);
        await open(world, id);
        const { body, complete } = await answer.ended;
        expect([body.toString().toLowerCase(), complete]).toEqual(['first\nlast\n', true]);
      }
    },
  },
  {
    name: 'a streamed answer of any kind: text and bytes in order, small pieces of a turn together, or nothing',
    async run(world) {
      for (const kind of ['async', 'sync', 'object']) {
        const { headers, ended } = await get(world, kind);
        expect([kind, headers['content-type'], await ended]).toEqual([
          kind,
          'text/plain; charset=utf-8',
          { body: PIECES, complete: true },
        ]);
      }
      expect(await (await get(world, 'nothing')).ended).toEqual({ body: Buffer.alloc(0), complete: true });
      const { body, complete } = await (await get(world, 'many', 'count=20000')).ended;
      expect(complete).toBe(true);
      expect(body.toString()).toBe(Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join(''));
    },
  },
  {
    name: 'HEAD and 204 of a streamed answer have no body, and what makes it is not run',
    async run(world) {
      const id = world.newId();
      const head = await world.call(`/streamed/endless?id=${id}`, { method: 'HEAD' });
      expect([head.status, head.text, head.headers['x-how'], head.headers['content-length']]).toEqual([
        200,
        '',
        'endless',
        undefined,
      ]);
      for (const status of [204, 304]) {
        const bodiless = await get(world, 'endless', `id=${id}&status=${status}`);
        expect([bodiless.status, await bodiless.ended]).toEqual([status, { body: Buffer.alloc(0), complete: true }]);
      }
      expect(await world.notes(id, 'ticked')).toEqual([]);
    },
  },
  {
    name: '50 MB to a slow reader: byte by byte, and not made before it takes them',
    async run(world) {
      for (const [how, megabytes] of [
        ['bytes', 50],
        ['blocks', 8],
      ] as const) {
        const id = world.newId();
        const answer = await get(world, how, `id=${id}&megabytes=${megabytes}&type=application/octet-stream`);
        answer.pause();
        await world.waitForNotes(id, 'made', 3);
        await sleep(how === 'bytes' ? 1_000 : 0);
        const made = (await world.notes(id, 'made')).at(-1)?.data as number;
        expect(made).toBeLessThan(ON_ITS_WAY);
        answer.resume();
        const { body, complete } = await answer.ended;
        expect([body.length, complete]).toEqual([megabytes * MB, true]);
        const [hash] = await world.waitForNotes(id, 'hash');
        expect(createHash('sha256').update(body).digest('hex')).toBe(hash?.data);
      }
    },
  },
  {
    name: 'a handler that throws in the middle of its answer: the connection breaks, and the log has the reason',
    async run(world) {
      for (const [how, reason] of [
        ['throw', 'SECRET in the middle'],
        ['wrong', 'text and bytes'],
      ] as const) {
        const { status, ended } = await get(world, how);
        const { body, complete } = await ended;
        expect([how, status, body.toString(), complete]).toEqual([how, 200, 'first\n', false]);
        const { errorId } = await world.worker.waitForLog(({ action, err }) => {
          return action === 'request_failed' && JSON.stringify(err).includes(reason);
        });
        await world.gateway.waitForLog({ action: 'answer_cut_off', step: 'StreamedGet', errorId });
      }
    },
  },
  {
    name: 'a client that leaves a streamed answer: what makes it is closed at once',
    async run(world) {
      for (const how of ['endless', 'endless-sync', 'silent']) {
        for (const send of [get, post]) {
          const id = world.newId();
          const answer = await send(world, how, `id=${id}`);
          await world.waitForNotes(id, 'ticked');
          answer.pause();
          answer.leave();
          await waitForClosed(world, id);
        }
      }
    },
  },
  {
    name: 'a streamed answer may take longer than the deadline',
    async run(world) {
      const id = world.newId();
      const answer = await get(world, 'endless', `id=${id}`);
      await sleep((CALL_TIMEOUT_S + 1) * 1_000);
      const soFar = answer.text().length;
      await waitFor(() => answer.text().length > soFar);
      answer.leave();
      await waitForClosed(world, id);
    },
  },
  {
    name: 'an Idempotency-Key is taken while its answer is streamed, and free after that',
    async run(world) {
      const [id, key] = [world.newId(), { 'idempotency-key': `key-${world.newId()}` }];
      const first = await post(world, 'gated', `id=${id}`, key);
      await first.until('FIRST\n');
      const second = post(world, 'gated', `id=${id}`, key);
      await sleep(300);
      expect(await world.notes(id, 'gated began')).toHaveLength(1);
      await open(world, id);
      expect((await first.ended).complete).toBe(true);
      const { headers, ended } = await second;
      expect(headers).not.toHaveProperty('idempotency-replayed');
      expect((await ended).body.toString()).toBe('FIRST\nLAST\n');
      expect(await world.notes(id, 'gated began')).toHaveLength(2);
    },
  },
  {
    name: 'streamed answers of a worker that is killed break off, and do not begin anew; one that gets SIGTERM finishes its own',
    alone: true,
    async run(world) {
      const [victim, leaving] = await Promise.all([world.startWorker('victim'), world.startWorker('leaving')]);
      const ids = Array.from({ length: 18 }, () => world.newId());
      const answers = await Promise.all(ids.map((id) => get(world, 'gated', `id=${id}`)));
      const owners = await Promise.all(ids.map(async (id) => (await world.waitForNotes(id, 'gated began'))[0]?.worker));
      expect(new Set(owners)).toEqual(new Set(['first', 'victim', 'leaving']));
      const ending = leaving.stop('SIGTERM');
      await world.killWorker(victim);
      for (const [n, { ended }] of answers.entries()) {
        if (owners[n] !== 'victim') continue;
        expect(await ended).toEqual({ body: Buffer.from('first\n'), complete: false });
      }
      for (const id of ids) await open(world, id);
      for (const [n, { ended }] of answers.entries()) {
        if (owners[n] !== 'victim') {
          expect(await ended).toEqual({ body: Buffer.from('first\nlast\n'), complete: true });
        }
        expect(await world.notes(ids[n] as string, 'gated began')).toHaveLength(1);
      }
      expect(await ending).toBe(0);
      await victim.stop('SIGKILL');
    },
  },
  {
    name: 'a gateway that is killed: what it streamed is closed; one that gets SIGTERM finishes what it streams',
    alone: true,
    async run(world) {
      const [victim, leaving] = await Promise.all([world.startGateway(), world.startGateway()]);
      const ids = [world.newId(), world.newId()] as const;
      const lost = await openStream(`${victim.url}/streamed/silent?id=${ids[0]}`);
      const finished = await openStream(`${leaving.url}/streamed/gated?id=${ids[1]}`);
      await Promise.all([lost, finished].map((answer) => answer.until('first\n')));
      await victim.stop('SIGKILL');
      expect((await lost.ended).complete).toBe(false);
      await waitForClosed(world, ids[0]);
      const ending = leaving.stop('SIGTERM');
      await sleep(300);
      await open(world, ids[1]);
      expect(await finished.ended).toEqual({ body: Buffer.from('first\nlast\n'), complete: true });
      expect(await ending).toBe(0);
    },
  },
  {
    name: 'a broker that crashes: streamed answers break off, and what makes them is closed',
    alone: true,
    async run(world) {
      const id = world.newId();
      const answer = await get(world, 'endless', `id=${id}`);
      await answer.until('0\n');
      await world.crashBroker();
      expect((await answer.ended).complete).toBe(false);
      await waitForClosed(world, id);
      await waitFor(async () => (await world.call('/quick')).status === 200, { within: 20_000 });
    },
  },
];
