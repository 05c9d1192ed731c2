/** The Helm chart in a real Kubernetes API server: installed, upgraded, rolled back. The test says that jobs are done, in place of nodes. */
import { expect, test } from 'vitest';
import { CHART, deployTool, helmWith, type Resource, type Values } from '../../helpers/helm.ts';
import { type Kubernetes, startKubernetes } from '../../helpers/kubernetes.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { access, everything, image } from './chart-values.ts';

const JOBS = '/apis/batch/v1/namespaces/default/jobs';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

/** Names of the jobs that there are. */
const jobs = async ({ api }: Kubernetes): Promise<string[]> =>
  (await api('GET', JOBS)).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);

/** Tells how a job has ended, as the cluster does. */
async function endJob({ api }: Kubernetes, name: string, how: 'Complete' | 'Failed'): Promise<void> {
  const at = new Date().toISOString();
  const last = { status: 'True', lastProbeTime: at, lastTransitionTime: at };
  const first = { Complete: 'SuccessCriteriaMet', Failed: 'FailureTarget' }[how];
  const conditions = [first, how].map((type) => ({
    type,
    ...last,
    reason: how === 'Failed' ? 'BackoffLimitExceeded' : 'CompletionsReached',
  }));
  const status = how === 'Complete' ? { succeeded: 1, completionTime: at } : { failed: 1 };
  await api('PATCH', `${JOBS}/${name}/status`, { status: { startTime: at, conditions, ...status } });
}

test('installed, upgraded and rolled back: the broker is made ready first, and secrets stay', async (context) => {
  const helm = deployTool(context, 'helm');
  const kubernetes = await startKubernetes(context);
  const { api } = kubernetes;
  const run = (command: string, args: string[], values?: Values) =>
    helmWith(helm, [command, 'shop', ...args, '--timeout', '60s'], values, { KUBECONFIG: kubernetes.kubeconfig });
  const imageOf = async (name: string) =>
    (await api('GET', `${DEPLOYMENTS}/${name}`))?.spec.template.spec.containers[0].image as string | undefined;
  const secret = async (name: string) =>
    (await api('GET', `/api/v1/namespaces/default/secrets/${name}`)).data as Record<string, string>;
  const version = (tag: string): Values => ({ ...everything, image: { repository: 'shop', tag } });

  expect(await run('install', [CHART], version('v1'))).toContain(
    'kubectl rollout status deployment/shop-motia-gateway',
  );
  const [installJob = ''] = await jobs(kubernetes);
  const [login, admin] = [await secret('shop-motia-nats-auth'), await secret('shop-motia-admin')];
  expect(Buffer.from(login.password ?? '', 'base64').toString()).toMatch(/^p[A-Za-z0-9]{39}$/);
  expect(Buffer.from(admin.token ?? '', 'base64').toString()).toMatch(/^[A-Za-z0-9]{40}$/);
  expect((await api('GET', '/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects')).items).toHaveLength(2);
  expect((await api('GET', '/apis/monitoring.coreos.com/v1/namespaces/default/prometheusrules')).items).toHaveLength(1);

  // Nothing changes before the job is done.
  const upgraded = run('upgrade', [CHART], version('v2'));
  await waitFor(async () => (await jobs(kubernetes)).includes('shop-motia-provision-2'), { within: 30_000 });
  expect(await imageOf('shop-motia-gateway')).toBe('shop:v1');
  await endJob(kubernetes, 'shop-motia-provision-2', 'Complete');
  await upgraded;
  expect(await imageOf('shop-motia-gateway')).toBe('shop:v2');
  expect(await secret('shop-motia-nats-auth')).toEqual(login);
  expect(await secret('shop-motia-admin')).toEqual(admin);
  expect(await jobs(kubernetes), 'that of the installation is gone').toEqual([]);

  // A version that cannot be provisioned changes nothing.
  const refused = run('upgrade', [CHART], version('v3'));
  await waitFor(async () => (await jobs(kubernetes)).includes('shop-motia-provision-3'), { within: 30_000 });
  await endJob(kubernetes, 'shop-motia-provision-3', 'Failed');
  await expect(refused).rejects.toThrow(/pre-upgrade hooks failed/);
  expect(await imageOf('shop-motia-gateway')).toBe('shop:v2');

  // Back to what was installed: its job is there again, and makes its version the newest.
  await run('rollback', ['1']);
  expect(await imageOf('shop-motia-gateway')).toBe('shop:v1');
  expect(await jobs(kubernetes)).toContain(installJob);
  expect(await secret('shop-motia-nats-auth')).toEqual(login);

  await run('uninstall', []);
  expect(await imageOf('shop-motia-gateway')).toBeUndefined();
  expect(await secret('shop-motia-nats-auth'), 'data on disks can still be read').toEqual(login);

  expect(await run('install', [CHART], { ...access, image })).toContain(
    'create secret generic access --from-file=nats',
  );
  const names = (await api('GET', DEPLOYMENTS)).items.map(({ metadata }: Resource) => metadata.name);
  expect(names).toContain('shop-motia-provision');
});
