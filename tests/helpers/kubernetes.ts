/** A real Kubernetes API server on loopback, with its etcd and nothing else: it checks and stores, and runs no pods. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { runInBackground } from './background.ts';
import { freePort } from './free-port.ts';
import { deployTool } from './helm.ts';
import { waitFor } from './wait-for.ts';

const TOKEN = 'test';

export interface Kubernetes {
  /** Path of a file that tells helm where it is. */
  kubeconfig: string;
  /** Asks the API for a path. @returns `undefined` for what is not there. @throws Error for any other refusal. */
  // biome-ignore lint/suspicious/noExplicitAny: each kind of resource has its own fields
  api(method: string, path: string, body?: unknown): Promise<any>;
}

/** Skips the test where its programs are missing. Everything ends with the test. Knows the resources of KEDA and of the Prometheus operator. */
export async function startKubernetes(context: TestContext): Promise<Kubernetes> {
  const [etcd, server, crds] = ['etcd', 'kube-apiserver', 'crds'].map((name) => deployTool(context, name)) as [
    string,
    string,
    string,
  ];
  const [data, folder] = (await Promise.all(
    ['etcd', 'kube'].map((name) => mkdtemp(join(tmpdir(), `motia-${name}-`))),
  )) as [string, string];
  const [client, peer, port] = await Promise.all([freePort(), freePort(), freePort()]);
  runInBackground(
    etcd,
    [
      ...['--data-dir', data, '--unsafe-no-fsync', '--log-level', 'error'],
      ...[`--listen-client-urls=http://127.0.0.1:${client}`, `--advertise-client-urls=http://127.0.0.1:${client}`],
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
    ],
    data,
  );
  const key = join(folder, 'sa.key');
  await promisify(execFile)('openssl', ['genrsa', '-out', key, '2048']);
  await writeFile(join(folder, 'tokens.csv'), `${TOKEN},admin,admin,system:masters`);
  runInBackground(
    server,
    [
      ...[`--etcd-servers=http://127.0.0.1:${client}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1'],
      ...[`--secure-port=${port}`, `--cert-dir=${folder}`, `--token-auth-file=${folder}/tokens.csv`],
      ...['--authorization-mode=RBAC', '--service-account-issuer=https://kubernetes.default.svc'],
      ...[`--service-account-key-file=${key}`, `--service-account-signing-key-file=${key}`],
      ...['--service-cluster-ip-range=10.0.0.0/24', '--disable-admission-plugins=ServiceAccount'],
    ],
    folder,
  );
  const api: Kubernetes['api'] = (method, path, body) => ask(port, method, path, body);
  await waitFor(async () => (await api('GET', '/api/v1/namespaces/default'))?.metadata, {
    what: 'the Kubernetes API',
    within: 40_000,
  });
  for (const file of await readdir(crds)) {
    for (const document of parseAllDocuments(await readFile(join(crds, file), 'utf8'))) {
      const { metadata } = await api(
        'POST',
        '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
        document.toJS(),
      );
      await waitFor(async () => {
        const { status } = await api('GET', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`);
        return status.conditions?.some(
          ({ type, status }: Record<string, string>) => type === 'Established' && status === 'True',
        );
      });
    }
  }
  const kubeconfig = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: TOKEN } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
    'current-context': 'x',
  };
  await writeFile(kubeconfig, JSON.stringify(config)); // JSON is YAML
  return { kubeconfig, api };
}

function ask(port: number, method: string, path: string, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': type };
    const options = { host: '127.0.0.1', port, method, path, headers, rejectUnauthorized: false, timeout: 10_000 };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode === 404) resolve(undefined);
        else if (statusCode >= 300) reject(new Error(`${method} ${path}: ${statusCode} ${text}`));
        else resolve(JSON.parse(text));
      });
    });
    asked.on('error', reject).on('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer`)));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
