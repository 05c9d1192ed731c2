/** What the Helm chart makes of values: real helm, and the schemas of Kubernetes, KEDA and the Prometheus operator. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { parse } from 'yaml';
import { GRACE_MS } from '../../../cli/grace.ts';
import {
  CHART,
  deployTool,
  find,
  helmWith,
  KUBERNETES_VERSION,
  type Resource,
  template,
  toResources,
  type Values,
} from '../../helpers/helm.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { removeFolder } from '../../helpers/remove-folder.ts';
import { access, container, everything, external, externalAccess, image, REFUSED, SWITCHES } from './chart-values.ts';

const run = promisify(execFile);
const hasPods = ({ spec }: Resource) => spec?.template?.spec?.containers;
const make = (context: TestContext, values: Values, ...flags: string[]) =>
  template(deployTool(context, 'helm'), { image, ...values }, ...flags);

test.for([
  ['nothing but an image', { image }],
  ['everything', everything],
  ['an external broker', external],
  ['a key for each role', access],
  ['an external broker with a key for each role', externalAccess],
] as const)('helm and Kubernetes have nothing to say against the chart with %s', async ([, values], context) => {
  const [helm, kubeconform, schemas] = ['helm', 'kubeconform', 'schemas'].map((name) => deployTool(context, name)) as [
    string,
    string,
    string,
  ];
  await helmWith(helm, ['lint', '--strict', CHART, '--kube-version', KUBERNETES_VERSION], values);
  const text = await helmWith(helm, ['template', 'x', CHART, '--kube-version', KUBERNETES_VERSION], values);
  const check = run(kubeconform, [
    '-strict',
    '-summary',
    '-output',
    'json',
    '-schema-location',
    `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`,
  ]);
  check.child.stdin?.end(text);
  const { stdout } = await check.catch(({ stdout }: { stdout: string }) => ({ stdout }));
  const { summary, resources = [] } = JSON.parse(stdout) as { summary: Record<string, number>; resources?: unknown[] };
  expect({ ...summary, resources }).toMatchObject({ invalid: 0, errors: 0, skipped: 0, resources: [] });
  expect(summary.valid).toBeGreaterThan(5);
});

test.for(SWITCHES)('%s', async ([, values, kind, name, look, is], context) => {
  expect(look(find(await make(context, values), kind, name))).toEqual(is);
});

test.for(REFUSED)('%s is refused', async ([, values, says], context) => {
  await expect(make(context, values)).rejects.toThrow(says);
});

test('never two who scale the same pods', async (context) => {
  const scaled = (await make(context, everything))
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
    .map(({ spec }) => spec.scaleTargetRef.name);
  expect(scaled.sort()).toEqual([
    'x-motia-gateway',
    'x-motia-worker-bill',
    'x-motia-worker-paid',
    'x-motia-worker-web',
  ]);
});

test('no pod has a token, runs as root or writes where it should not; each says when it is ready and ends in time', async (context) => {
  const resources = await make(context, everything);
  const pods = resources.filter(hasPods);
  expect(pods.map(({ kind }) => kind).sort()).toEqual([...Array(6).fill('Deployment'), 'Job', 'StatefulSet']);
  for (const { kind, metadata, spec } of pods) {
    const pod = spec.template.spec;
    expect(pod, metadata.name).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const each of [...pod.containers, ...(pod.initContainers ?? [])]) {
      expect(each.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    if (kind === 'Job') continue;
    const [main] = pod.containers;
    expect([main.startupProbe, main.livenessProbe, main.readinessProbe].every(Boolean)).toBe(true);
    expect(pod.topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey)).toHaveLength(
      2,
    );
    expect(main.resources === undefined || main.resources.requests).toBeTruthy();
    if (kind === 'StatefulSet') continue;
    const drain = Number(main.env.find(({ name }: { name: string }) => name === 'MOTIA_DRAIN_DELAY')?.value ?? 0);
    expect(drain > 0, 'only who is sent requests serves on').toBe(main.name === 'gateway');
    expect(pod.terminationGracePeriodSeconds, 'what has begun may end').toBeGreaterThan(
      drain + GRACE_MS.role / 1000 + 3,
    );
    expect(pod.initContainers[0].args).toEqual(['provision', '--wait=600']);
  }
  const budgets = resources.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata.name);
  expect(budgets.sort()).toEqual(
    pods
      .filter(({ kind }) => kind !== 'Job')
      .map(({ metadata }) => metadata.name)
      .sort(),
  );
});

test('each role has the seed of its own user and no other, and only provisioning makes anything', async (context) => {
  const resources = await make(context, access);
  const seeds: Record<string, string> = {};
  for (const { kind, metadata, spec } of resources.filter(hasPods)) {
    const { containers, initContainers = [], volumes } = spec.template.spec;
    if (kind === 'StatefulSet') continue;
    const user = spec.template.metadata.labels['motia/role'];
    const file = `${user}.nk`;
    seeds[`${kind} ${metadata.name.replace(/-[0-9a-f]{8}$/, '')}`] = file;
    expect(JSON.stringify(volumes).match(/[\w-]+\.nk/g), metadata.name).toEqual([file, file]);
    for (const { env } of [...containers, ...initContainers]) {
      const named = Object.fromEntries(env.map(({ name, value }: Record<string, string>) => [name, value]));
      expect(named).toMatchObject({ NATS_NKEY: `/etc/motia/access/${file}` });
      expect(named.MOTIA_PROVISION, metadata.name).toBe(user === 'provision' ? undefined : 'off');
      expect(Object.keys(named)).not.toContain('NATS_PASSWORD');
    }
  }
  expect(seeds).toEqual({
    'Deployment x-motia-gateway': 'gateway.nk',
    'Deployment x-motia-scheduler': 'scheduler.nk',
    'Deployment x-motia-worker-web': 'worker-web.nk',
    'Deployment x-motia-worker-paid': 'worker-paid.nk',
    'Deployment x-motia-worker-bill': 'worker-bill.nk',
    'Deployment x-motia-python-worker-ml': 'python-worker-ml.nk',
    'Deployment x-motia-provision': 'provision.nk',
    'Job x-motia-provision': 'provision.nk',
  });
  expect(container(find(resources, 'Deployment', 'x-motia-provision')).args).toEqual(['provision', '--keep']);
  expect(resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).not.toContain('Secret x-motia-nats-auth');
});

test('a new version of the app leaves the servers of the broker alone', async (context) => {
  const nats = async (tag: string) =>
    find(await make(context, { image: { ...image, tag } }), 'StatefulSet', 'x-motia-nats').spec.template;
  expect(await nats('v1')).toEqual(await nats('v2'));
});

test('an upgrade makes the broker ready first; an installation brings the job along, and everyone waits for it', async (context) => {
  const job = async (...flags: string[]) =>
    (await make(context, {}, ...flags)).find(({ kind }) => kind === 'Job') as Resource;
  const [installed, upgraded] = [await job(), await job('--is-upgrade')];
  expect(installed.metadata.annotations).toBeUndefined();
  expect(upgraded.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-upgrade,pre-rollback' });
  expect(container(upgraded).args).toEqual(['provision']);
  expect(installed.metadata.name).not.toBe(upgraded.metadata.name);
  const another = (await make(context, { image: { ...image, tag: 'v2' } })).find(
    ({ kind }) => kind === 'Job',
  ) as Resource;
  expect(another.metadata.name, 'a job cannot be changed').not.toBe(installed.metadata.name);
});

test('alerts and dashboard are those of deploy/, in the chart and in its archive', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'motia-chart-'));
  onTestFinished(() => removeFolder(folder));
  const helm = deployTool(context, 'helm');
  const packed = /: (\S+\.tgz)/.exec(await helmWith(helm, ['package', CHART, '--destination', folder]))?.[1] as string;
  const kubeVersion = ['--kube-version', KUBERNETES_VERSION];
  const ofArchive = toResources(await helmWith(helm, ['template', 'x', packed, ...kubeVersion], everything));
  const rules = parse(await readFile(join(REPOSITORY, 'deploy/prometheus/rules.yml'), 'utf8'));
  const dashboard = JSON.parse(await readFile(join(REPOSITORY, 'deploy/grafana/dashboards/motia.json'), 'utf8'));
  for (const resources of [await template(helm, everything), ofArchive]) {
    expect(find(resources, 'PrometheusRule', 'x-motia').spec).toEqual(rules);
    expect(JSON.parse(find(resources, 'ConfigMap', 'x-motia-dashboard').data['motia.json'])).toEqual(dashboard);
  }
});
