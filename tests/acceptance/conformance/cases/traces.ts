/** What is stored of runs, for people to look at. */
import { expect } from 'vitest';
import { TelemetryAdmin } from '../../../../shared/broker/telemetry-admin.ts';
import type { SpanNode, Trace } from '../../../../shared/broker/telemetry-trace.ts';
import { MotiaError } from '../../../../shared/errors.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import type { World } from '../world.ts';

/** The trace, once it is as it has to be. */
export function traceWhen(
  { broker, names }: World,
  traceId: string,
  isThere: (trace: Trace) => boolean,
): Promise<Trace> {
  const admin = new TelemetryAdmin(broker, names);
  return waitFor(
    async () => {
      const trace = await admin.trace(traceId).catch((error) => {
        if (error instanceof MotiaError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      });
      return trace && isThere(trace) ? trace : undefined;
    },
    { within: 15_000 },
  );
}

export const all = (spans: readonly SpanNode[]): SpanNode[] => spans.flatMap((span) => [span, ...all(span.children)]);

/** Names of a span and what is below it. */
const shape = ({ name, children }: SpanNode): unknown =>
  children.length === 0 ? name : { [name]: children.map(shape) };

export const traceCases: Case[] = [
  {
    name: 'spans of user code are in the tree of their run, and a run that goes on is in it already',
    alone: true,
    async run(world) {
      const { traceId } = (await world.post('/traced', {})).json();
      const going = await traceWhen(world, traceId, ({ roots }) => all(roots).some(({ running }) => running));
      expect(going.status).toBe('running');
      expect(all(going.roots).filter(({ running }) => running)).toMatchObject([{ name: 'process traced' }]);
      const isWhole = (spans: SpanNode[]) => spans.length === 7 && !spans.some(({ missing }) => missing);
      const trace = await traceWhen(world, traceId, ({ roots, status }) => status === 'failed' && isWhole(all(roots)));
      expect(trace.complete).toBe(true);
      expect(trace.roots.map(shape)).toEqual([
        {
          'POST /traced': [
            { 'run Traced': [{ outer: [{ inner: ['state.set'] }, { 'send traced': ['process traced'] }] }] },
          ],
        },
      ]);
      const [run, outer, process] = ['run Traced', 'outer', 'process traced'].map((name) =>
        all(trace.roots).find((span) => span.name === name),
      );
      expect(run?.attributes).toMatchObject({ 'motia.step.name': 'Traced', 'motia.step.flows': ['tracing'] });
      expect(outer?.attributes).toEqual({ size: 3 });
      expect(process).toMatchObject({ error: 'no truck', running: false });
      expect(process?.durationMs).toBeGreaterThan(1_000);
      expect(new Set(all(trace.roots).map(({ node }) => node)).size).toBe(2); // gateway and worker
      const { traces } = await new TelemetryAdmin(world.broker, world.names).traces({ text: traceId }, {});
      expect(traces).toMatchObject([
        {
          traceId,
          name: 'POST /traced',
          status: 'failed',
          steps: ['Traced', 'OnTraced'],
          flows: ['tracing'],
          spans: 7,
          errors: 1,
        },
      ]);
    },
  },
  {
    name: 'middleware is a span around what it calls; runs tell how long they have waited; the log of both sides has span and flows',
    alone: true,
    async run(world) {
      const { traceId } = (await world.post('/layered', {})).json();
      const isDone = ({ roots }: Trace) => all(roots).filter(({ error }) => error === 'no truck').length === 2;
      const { roots } = await traceWhen(world, traceId, (trace) => isDone(trace) && all(trace.roots).length === 10);
      const send = { 'send layered': ['process layered'] };
      expect(roots.map(shape)).toEqual([
        {
          'POST /layered': [
            { 'run Layered': [{ counting: [{ 'middleware 2': [{ handler: [send, send] }] }, 'state.set'] }] },
          ],
        },
      ]);
      const wait = ({ attributes }: SpanNode) => attributes?.['motia.queue.wait_ms'] as number;
      const processed = all(roots).filter(({ name }) => name === 'process layered');
      expect(Math.max(...processed.map(wait))).toBeGreaterThan(200); // for the other one
      const run = all(roots).find(({ name }) => name === 'run Layered') as SpanNode;
      expect(wait(run)).toBeGreaterThanOrEqual(0);

      await waitFor(() => world.worker.logs({ action: 'event_dead', traceId }).length === 2);
      const dead = world.worker.logs({ action: 'event_dead', traceId });
      expect(dead.map(({ spanId }) => spanId).sort()).toEqual(processed.map(({ spanId }) => spanId).sort());
      expect(dead.map(({ flows }) => flows)).toEqual([['layers'], ['layers']]);
    },
  },
  {
    name: 'what a handler prints is stored in its trace and printed; secrets are neither stored nor printed',
    alone: true,
    async run(world) {
      const { traceId } = (await world.post('/traced', {})).json();
      const runOf = ({ roots }: Trace) => all(roots).find(({ name }) => name === 'run Traced');
      const trace = await traceWhen(world, traceId, (trace) => trace.logs.length >= 2 && runOf(trace) !== undefined);
      const { logs } = trace;
      const run = runOf(trace);
      const ours = { traceId, spanId: run?.spanId, step: 'Traced', flows: ['tracing'], level: 'info' };
      // Within a millisecond they may be in either order: they take different ways.
      const [printed, secrets] = ['printed 1', 'secrets'].map((text) => logs.find(({ msg }) => msg === text));
      expect(printed).toMatchObject({ ...ours, action: 'console' });
      expect(secrets).toMatchObject({
        ...ours,
        password: '[redacted]',
        order: { card: '[redacted]', id: 7 },
        list: [{ 'X-Api-Key': '[redacted]' }],
      });
      await world.worker.waitForLog({ msg: 'secrets', traceId });
      await waitFor(() => /^printed 1$/m.test(world.worker.output()));
      expect(JSON.stringify(world.worker.logs({ traceId }))).not.toContain('SECRET');
    },
  },
];
