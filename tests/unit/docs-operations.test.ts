/** docs/operations.md names what there is: every alert, metrics and log lines of ours, settings of the files in deploy/, tests and benchmarks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../shared/metrics/definitions.ts';
import { REPOSITORY } from '../helpers/project.ts';

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');
const PAGE = read('docs/operations.md');
const named = (text: string, pattern: RegExp): Set<string> =>
  new Set([...text.matchAll(pattern)].map(([, name = '']) => name));
const sorted = (names: Iterable<string>) => [...names].sort();

test('every alert is explained in docs/metrics.md, and what it belongs to stands here', () => {
  const { groups } = parse(read('deploy/prometheus/rules.yml')) as { groups: { rules: { alert: string }[] }[] };
  const alerts = sorted(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)));
  expect(alerts.length).toBeGreaterThan(5);
  expect(sorted(named(read('docs/metrics.md'), /^\| `(Motia\w+)` \|/gm))).toEqual(alerts);
  expect(sorted(named(PAGE, /`(Motia[A-Z]\w+)`/g))).toEqual(alerts);
});

test('metrics are such as are exported', () => {
  const metrics = named(PAGE, /`(motia_\w+)/g);
  expect(metrics.size).toBeGreaterThan(5);
  expect([...metrics].filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
});

test('what the log is said to have is among what it may have', () => {
  const sources = ['shared', 'gateway', 'worker', 'scheduler'].flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true })
      .map((file) => join(folder, String(file)))
      .filter((file) => file.endsWith('.ts'))
      .map(read),
  );
  const actions = [...named(PAGE, /`([a-z]+_failed)`/g)];
  expect(actions.length).toBeGreaterThan(2);
  const unknown = actions.filter((action) => !sources.some((text) => text.includes(`action: '${action}'`)));
  expect(unknown).toEqual([]);
});

test('gateways serve on for as long as it says, which is longer than the proxy takes to notice', () => {
  const compose = parse(read('deploy/docker-compose.yml'), { merge: true });
  const delay = Number(compose.services.gateway.environment.MOTIA_DRAIN_DELAY);
  const { drainSeconds } = parse(read('deploy/helm/motia/values.yaml')).gateway;
  expect(PAGE.replaceAll(/\s+/g, ' ')).toMatch(
    new RegExp(`It is ${delay} s in the \\[compose file.*, ${drainSeconds} s in the \\[chart`),
  );
  const [, interval, fall] = /inter (\d+)ms fall (\d+)/.exec(read('deploy/haproxy/haproxy.cfg')) ?? [];
  expect(delay * 1_000).toBeGreaterThanOrEqual(2 * Number(interval) * Number(fall));
});

test('the tests and benchmarks that its figures come from are there', () => {
  const chaos = [...named(PAGE, /`npm run chaos -- ([\w-]+)`/g)].map((name) => `tests/chaos/${name}.test.ts`);
  const tests = [...named(PAGE, /`npm test -- [\w-]+ (\S+)`/g)];
  const sections = [...named(PAGE, /`npm run bench -- --only ([\w-]+)`/g)].map(
    (name) => `benchmarks/sections/${name}.mjs`,
  );
  const files = [...chaos, ...tests, ...sections];
  expect(files).toHaveLength(3);
  expect(files.filter((file) => !existsSync(join(REPOSITORY, file)))).toEqual([]);
});
