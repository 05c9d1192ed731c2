/**
 * The services of `deploy/docker-compose.yml` as plain processes of this machine: commands, environments, replicas, secrets and configuration are those of the
 * files; what containers have and processes have not is put in their place: names of hosts, ports of their own, mounted paths.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { type Command, type RunningCli, startCli } from '../../helpers/cli.ts';
import { freePort } from '../../helpers/free-port.ts';
import type { Haproxy } from '../../helpers/haproxy.ts';
import { createProject, type Project, REPOSITORY } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

export const DEPLOY = join(REPOSITORY, 'deploy');

export interface Service {
  image?: string;
  build?: { context: string; dockerfile: string; target: string };
  command?: string[];
  entrypoint?: string[];
  /** As the file has it, or `NAME=value` as the loader has it. */
  environment?: Record<string, string> | string[];
  deploy?: { replicas?: number };
  ports?: string[];
  volumes?: (string | { source: string; target: string })[];
  secrets?: (string | { source: string; target: string })[];
  healthcheck?: { test?: string[]; disable?: boolean };
}

export interface Compose {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
}

export const readCompose = (): Compose =>
  parse(readFileSync(join(DEPLOY, 'docker-compose.yml'), 'utf8'), { merge: true }) as Compose;

export interface Processes {
  /** Where the app is, through the proxy. */
  url: string;
  /** Port of the broker. */
  broker: number;
  secretPath(name: string): string;
  secret(name: string): string;
  roles: Record<'gateway' | 'worker' | 'python-worker' | 'scheduler', RunningCli[]>;
}

/** Starts all of it, in a project with these files, in the order that the services depend on each other; `secrets` are arguments of `make-secrets.sh`. */
export async function startProcesses(
  files: Record<string, string>,
  haproxy: Haproxy,
  env: Record<string, string>,
  compose = readCompose(),
  ...secrets: string[]
): Promise<Processes> {
  const { services } = compose;
  const project = await createProject({ files });
  const deploy = project.path('deploy');
  cpSync(DEPLOY, deploy, { recursive: true });
  execFileSync('sh', ['deploy/make-secrets.sh', ...secrets], {
    cwd: project.root,
    env: { ...process.env, ...env },
    stdio: 'pipe',
  });
  const secretPath = (name: string) => join(deploy, 'secrets', name);
  const secret = (name: string) => readFileSync(secretPath(name), 'utf8');
  const broker = await startBroker(project, services.nats as Service, secret('nats_password'));

  /** As many processes as the service has replicas. */
  const start = async (name: string, ...more: string[]): Promise<RunningCli[]> => {
    const service = services[name] as Service;
    const { command = [], deploy: { replicas = 1 } = {} } = service;
    const [role, ...args] = command as [Command, ...string[]];
    const own = environmentOf(service).map(([key, value]) => {
      const text = value.replace(/\$\{\w+:-([^}]*)\}/g, '$1').replace('//nats:4222', `//127.0.0.1:${broker}`);
      return [
        key,
        text.replace(/^\/run\/secrets\/(\w+)$/, (_, target) => join(deploy, secretFile(compose, service, target))),
      ];
    });
    const starts = Array.from({ length: replicas }, async () => {
      const metrics = { MOTIA_METRICS_PORT: String(await freePort()), OTEL_EXPORTER_OTLP_ENDPOINT: undefined };
      const local = { ...Object.fromEntries(own), ...metrics, ...env };
      const cli = await startCli(role, project, {
        args: [...args.flatMap((arg) => (arg === '3000' ? '0' : arg === '0.0.0.0' ? '127.0.0.1' : arg)), ...more],
        env: local,
        readyWithin: 60_000,
        ...(args.includes('--keep') && { ready: /"action":"ready"/ }),
      });
      metricsPorts.set(cli, metrics.MOTIA_METRICS_PORT);
      return cli;
    });
    return Promise.all(starts);
  };
  const metricsPorts = new Map<RunningCli, string>();

  const [provision] = await start('provision');
  const code = services.provision?.command?.includes('--keep') ? 0 : await provision?.exited;
  if (code !== 0) throw new Error(`motia provision ended with ${code}:\n${provision?.output()}`);
  const [gateways, workers, python, schedulers] = await Promise.all(
    ['gateway', 'worker', 'python-worker', 'scheduler'].map((name) => start(name)),
  );
  const servers = (gateways ?? []).map((cli) => ({ host: new URL(cli.url).host, check: metricsPorts.get(cli) ?? '' }));
  const url = await startProxy(project, haproxy, servers);
  const roles = { gateway: gateways, worker: workers, 'python-worker': python, scheduler: schedulers };
  return { url, broker, secretPath, secret, roles: roles as Processes['roles'] };
}

export const environmentOf = ({ environment = {} }: Service): [string, string][] =>
  Array.isArray(environment)
    ? environment.map((line) => line.split(/=(.*)/s, 2) as [string, string])
    : Object.entries(environment);

export const mountsOf = ({ volumes = [] }: Service): [source: string, target: string][] =>
  volumes.map((volume) =>
    typeof volume === 'string' ? (volume.split(':', 2) as [string, string]) : [volume.source, volume.target],
  );

/** The file of a secret, by the name that it has in a container. */
function secretFile({ secrets }: Compose, service: Service, target: string): string {
  const all = (service.secrets ?? []).map((one) => (typeof one === 'string' ? { source: one, target: one } : one));
  const found = all.find((one) => basename(one.target) === target);
  if (!found) throw new Error(`the container has no secret ${target}`);
  return (secrets[found.source] as { file: string }).file;
}

/** @returns its port. */
async function startBroker(project: Project, service: Service, password: string): Promise<number> {
  const [port, http] = [await freePort(), await freePort()];
  for (const [source, target] of mountsOf(service)) {
    if (target.startsWith('/etc/nats/'))
      cpSync(project.path(`deploy/${source}`), project.path(`broker/${basename(target)}`));
  }
  const config = project.path('broker/nats.conf');
  const text = readFileSync(config, 'utf8');
  const local = text
    .replace('port: 4222', `port: ${port}\nhost: 127.0.0.1`)
    .replace('http_port: 8222', `http: 127.0.0.1:${http}`)
    .replace('store_dir: /data', `store_dir: "${project.path('nats-data')}"`);
  writeFileSync(config, local);
  const child = spawn(process.env.MOTIA_NATS_SERVER as string, ['-c', config], {
    env: { ...process.env, NATS_PASSWORD: password },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const healthy = () =>
    fetch(`http://127.0.0.1:${http}/healthz?js-enabled-only=true`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitFor(healthy, { what: 'a healthy broker' });
  return port;
}

/** The proxy asks the DNS of Docker for gateways; here it is given their addresses, and the ports to check. */
export async function startProxy(
  project: Project,
  haproxy: Haproxy,
  gateways: { host: string; check: string }[],
): Promise<string> {
  const port = await freePort();
  const path = project.path('haproxy.cfg');
  const servers = gateways.map(({ host, check }, n) => `server gateway${n} ${host} port ${check}`);
  const config = readFileSync(join(DEPLOY, 'haproxy/haproxy.cfg'), 'utf8')
    .replace('bind :3000', `bind 127.0.0.1:${port}`)
    .replace('init-addr none', '')
    .replace('check port 9464', 'check')
    .replace(/^ *server-template .*$/m, servers.map((line) => `  ${line}`).join('\n'))
    .replace(/^resolvers docker\n( .*\n)+/m, '');
  writeFileSync(path, config);
  execFileSync(haproxy.program, ['-c', '-f', path], { env: haproxy.env, stdio: 'pipe' });
  const child = spawn(haproxy.program, ['-db', '-f', path], { env: haproxy.env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  const up = () =>
    fetch(`${url}/health/ready`).then(
      ({ status }) => status < 500,
      () => false,
    );
  await waitFor(up, { what: 'the proxy' });
  return url;
}
