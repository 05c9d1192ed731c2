/** Flows as graphs. */
import { expect, test } from 'vitest';
import type { StepEntry } from '../../../shared/steps/manifest.ts';
import { edgesOf, flowsOf } from '../../../workbench/src/screens/flows/graph.ts';
import { placesOf } from '../../../workbench/src/screens/flows/placing.ts';

const step = (id: string, more: Partial<StepEntry> = {}): StepEntry => ({
  ...{ id, name: id, type: 'event', language: 'node', file: `src/${id}.step.ts`, flows: ['a'] },
  ...{ emits: [], virtualEmits: [], virtualSubscribes: [], ...more },
});

test('flows are the labels of steps, by name; steps without one come last', () => {
  expect(
    flowsOf([
      step('one', { flows: ['b', 'a'] }),
      step('two'),
      step('none', { flows: [] }),
      step('zoo', { flows: ['zoo'] }),
    ]),
  ).toEqual([
    { id: 'a', steps: 2 },
    { id: 'b', steps: 1 },
    { id: 'zoo', steps: 1 },
    { id: 'no-flow', steps: 1 },
  ]);
});

test('topics lead from who emits them to all who hear them; what is only drawn is told apart', () => {
  const steps = [
    step('start', {
      emits: [{ topic: 't' }, { topic: 'u', label: 'sometimes', conditional: true }, { topic: 'nobody' }],
      virtualEmits: [{ topic: 't' }],
    }),
    step('both', { subscribes: ['t', 'u'] }),
    step('drawn', { type: 'noop', virtualSubscribes: ['t'] }),
    step('self', { subscribes: ['again'], emits: [{ topic: 'again' }] }),
  ];
  const edges = edgesOf(steps).map(({ source, target, label, isVirtual, isConditional }) => ({
    way: `${source} ${target}`,
    ...{ label, isVirtual, isConditional },
  }));
  expect(edges).toEqual([
    { way: 'start both', label: 't', isVirtual: false, isConditional: false },
    { way: 'start drawn', label: 't', isVirtual: true, isConditional: false },
    { way: 'start both', label: 'sometimes', isVirtual: false, isConditional: true },
    { way: 'start both', label: 't', isVirtual: true, isConditional: false },
    { way: 'self self', label: 'again', isVirtual: false, isConditional: false },
  ]);
  expect(new Set(edgesOf(steps).map(({ id }) => id)).size).toBe(5);
});

test('several topics between the same two are one edge', () => {
  const steps = [step('from', { emits: [{ topic: 't' }, { topic: 'u' }] }), step('to', { subscribes: ['t', 'u'] })];
  expect(edgesOf(steps)).toMatchObject([{ topics: ['t', 'u'], label: 't, u' }]);
});

test('steps are where people put them; the others are arranged from left to right, those at the origin too', () => {
  const steps = [
    step('first', { emits: [{ topic: 't' }] }),
    step('second', { subscribes: ['t'], emits: [{ topic: 'u' }] }),
    step('third', { subscribes: ['u'] }),
  ];
  const places = placesOf(steps, edgesOf(steps), {
    'src/second.step.ts': { x: 500, y: 700, sourceHandlePosition: 'bottom' },
    'src/third.step.ts': { x: 0, y: 0, targetHandlePosition: 'top' },
  });
  expect(places.get('second')).toEqual({ x: 500, y: 700, sourceHandlePosition: 'bottom' });
  const [first, third] = [places.get('first'), places.get('third')];
  expect(third?.targetHandlePosition).toBe('top');
  expect(third?.x).toBeGreaterThan((first?.x ?? 0) + 500);
});
