/** Groups of workers for the Helm chart, from what steps say they need. */
import { expect, test } from 'vitest';
import { helmValues } from '../../../cli/generate/helm-values.ts';
import { describeStep } from '../../../shared/steps/manifest.ts';
import type { Infrastructure, StepConfig } from '../../../shared/types.ts';

const step = (config: StepConfig, language: 'node' | 'python' = 'node') =>
  describeStep('src/a.step.ts', language, config);
const eventStep = (name: string, infrastructure?: Infrastructure, subscribes = [`${name}.due`]): StepConfig => ({
  ...{ type: 'event', name, emits: [], subscribes },
  ...(infrastructure && { infrastructure }),
});
const api = step({ type: 'api', name: 'Order', method: 'POST', path: '/orders', emits: [] });
const noop = step({ type: 'noop', name: 'Approval', virtualEmits: [], virtualSubscribes: [] });
const ram = (mb: number, cpu?: number): Infrastructure => ({ handler: { ram: mb, ...(cpu !== undefined && { cpu }) } });

test('steps that ask for nothing are one group, which takes the whole app', () => {
  expect(helmValues('shop', [api, noop, step(eventStep('Mail'))], 'none')).toEqual({
    app: 'shop',
    workers: [{ name: 'all', replicas: 2, resources: { requests: { cpu: '375m', memory: '384Mi' } } }],
    pythonWorkers: [],
  });
});

test('each size is a group: what a worker needs itself, and its most demanding step', () => {
  const steps = [
    api,
    step(eventStep('Render', ram(2048, 1))),
    step(eventStep('Crop', ram(2048, 1.1))),
    step(eventStep('Resize', ram(512))),
    step(eventStep('Train', ram(10_240)), 'python'),
  ];
  const { workers, pythonWorkers } = helmValues('shop', steps, 'none');
  expect(workers.map(({ name, steps, resources }) => [name, steps, resources.requests])).toEqual([
    ['main', ['Order'], { cpu: '375m', memory: '384Mi' }],
    ['ram-512', ['Resize'], { cpu: '500m', memory: '640Mi' }],
    ['ram-2048', ['Render', 'Crop'], { cpu: '1350m', memory: '2176Mi' }],
  ]);
  expect(pythonWorkers.map(({ name, resources }) => [name, resources.requests])).toEqual([
    ['all', { cpu: '5250m', memory: '10368Mi' }],
  ]);
});

test('what pods are counted by', () => {
  const steps = [api, step(eventStep('Mail')), step(eventStep('Render', ram(2048), ['a', 'b']))];
  const scaling = (scale: 'cpu' | 'queue' | 'consumers') =>
    helmValues('shop', steps, scale).workers.map(({ autoscaling }) => autoscaling);
  expect(scaling('cpu')).toEqual(Array(2).fill({ by: 'cpu', minReplicas: 2, targetCPU: 70 }));
  expect(scaling('queue')).toEqual([
    { by: 'queue', minReplicas: 2, targetCPU: 70, stepIds: ['Mail'] },
    { by: 'queue', minReplicas: 1, stepIds: ['Render'] },
  ]);
  expect(scaling('consumers')[1]).toEqual({ by: 'consumers', minReplicas: 1, consumers: ['Render=_a', 'Render=_b'] });
  const ordered = step(eventStep('Rank', { queue: { type: 'fifo' } }));
  expect(() => helmValues('shop', [ordered], 'consumers')).toThrow('--scale-by queue');
  expect(helmValues('shop', [ordered], 'queue').workers[0]?.autoscaling).toMatchObject({ stepIds: ['Rank'] });
});
