/** A real Prometheus: the one on PATH, or Debian's package, unpacked and not installed, kept in the cache. */
import { execFile } from 'node:child_process';
import { accessSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { readEnvironment } from '../../shared/config.ts';
import { runInBackground } from './background.ts';
import { unpackedPackage, unpackPackages } from './debian-package.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

export interface PrometheusTools {
  prometheus: string;
  promtool: string;
}

const run = promisify(execFile);

/** @returns the paths of both programs, or why there are none here. */
export async function findPrometheus(): Promise<PrometheusTools | string> {
  const unpacked = join(unpackedPackage('prometheus'), 'usr/bin');
  const found = [...readEnvironment().searchPath, unpacked].map(toolsIn).find((tools) => tools !== undefined);
  if (found) return found;
  try {
    await unpackPackages('prometheus');
    return toolsIn(unpacked) ?? 'the Debian package has no prometheus in it';
  } catch (error) {
    return `there is no Prometheus on PATH, and Debian's package cannot be had: ${(error as Error).message.split('\n')[0]}`;
  }
}

function toolsIn(folder: string): PrometheusTools | undefined {
  const [prometheus, promtool] = [join(folder, 'prometheus'), join(folder, 'promtool')];
  try {
    for (const path of [prometheus, promtool]) accessSync(path);
    return { prometheus, promtool };
  } catch {
    return undefined;
  }
}

/** Runs promtool. @throws with what it says, if it is not content. */
export async function promtool(tools: PrometheusTools, args: string[], input = '', cwd = tmpdir()): Promise<void> {
  const running = run(tools.promtool, args, { cwd, env: { PATH: process.env.PATH ?? delimiter } });
  running.child.stdin?.end(input);
  await running.catch(({ stdout, stderr }: { stdout: string; stderr: string }) => {
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`);
  });
}

export interface Prometheus {
  /** Value of an expression by the labels asked for, with commas between them. */
  query(expression: string, ...labels: string[]): Promise<Record<string, number>>;
  get<T>(path: string): Promise<T>;
}

/** Scrapes these ports every second and follows the rules. It ends with the test. */
export async function startPrometheus(tools: PrometheusTools, ports: number[], rules: string): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'motia-prometheus-'));
  const targets = ports.map((port) => `127.0.0.1:${port}`);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'motia', static_configs: [{ targets }] }],
  };
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config)); // JSON is YAML
  const port = await freePort();
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--enable-feature=exemplar-storage',
    '--log.level=error',
  ];
  runInBackground(tools.prometheus, args, folder);
  const url = `http://127.0.0.1:${port}`;
  const get = async <T>(path: string) => {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { data: T }).data;
  };
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: 'Prometheus', within: 20_000 });
  return {
    get,
    async query(expression, ...labels) {
      type Vector = { result: { metric: Record<string, string>; value: [number, string] }[] };
      const { result } = await get<Vector>(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      return Object.fromEntries(
        result.map(({ metric, value }) => [labels.map((label) => metric[label]).join(','), Number(value[1])]),
      );
    },
  };
}
