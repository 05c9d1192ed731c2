/** Bundles as data: identity, inputs, folders, and starting without the compiler. */
import { existsSync, statSync, symlinkSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { apiStep, Project } from './project.ts';
import { loadInThread } from './thread.ts';

const FILES = {
  '.env': 'A=1',
  'src/a.step.ts': apiStep('a', 'helper()', `import { helper } from '../lib/helper';`),
  'src/b.step.ts': apiStep('b', `'b'`),
  'lib/helper.ts': `export const helper = () => 'h';`,
};

test('is plain data that names its inputs', async () => {
  const project = new Project(FILES);
  const bundle = await project.bundler.build();
  expect(structuredClone(bundle)).toEqual(bundle);
  expect(bundle.root).toBe(project.root);
  expect(bundle.entries.map(({ file, inputs }) => ({ file, inputs }))).toEqual([
    { file: 'src/a.step.ts', inputs: ['lib/helper.ts', 'src/a.step.ts'] },
    { file: 'src/b.step.ts', inputs: ['src/b.step.ts'] },
  ]);
  expect(bundle.inputs).toEqual(
    expect.arrayContaining([
      '.env',
      'lib/helper.ts',
      'motia.config.ts',
      'package.json',
      'src/a.step.ts',
      'tsconfig.json',
    ]),
  );
  for (const { output } of bundle.entries) expect(existsSync(output)).toBe(true);
});

test('an empty project is an empty bundle', async () => {
  expect(await new Project({}).bundler.build()).toMatchObject({ entries: [], failures: [] });
});

test('the id follows the content: helpers, .env, new and removed steps, and back', async () => {
  const project = new Project(FILES);
  const build = async () => (await project.bundler.build()).id;
  const first = await build();
  expect(await build()).toBe(first);
  const changes: [string, () => void][] = [
    ['helper', () => project.write({ 'lib/helper.ts': `export const helper = () => 'other';` })],
    ['.env', () => project.write({ '.env': 'A=2' })],
    ['new step', () => project.write({ 'steps/c.step.ts': apiStep('c', '1') })],
    ['removed step', () => project.remove('src/b.step.ts')],
  ];
  const seen = new Set([first]);
  for (const [what, change] of changes) {
    change();
    const id = await build();
    expect(seen.has(id), what).toBe(false);
    seen.add(id);
  }
  project.remove('steps/c.step.ts');
  project.write(FILES);
  expect(await build()).toBe(first);
});

test('a step found through a symbolic link is served', async () => {
  const project = new Project({
    'shared/a.step.ts': apiStep('a', 'n', `import { n } from './n';`),
    'shared/n.ts': 'export const n = 1;',
    'src/b.step.ts': apiStep('b', '2'),
  });
  symlinkSync(join(project.root, 'shared'), join(project.root, 'src/linked'));
  const bundle = await project.bundler.build();
  expect(bundle.entries[1]).toMatchObject({
    file: 'src/linked/a.step.ts',
    inputs: ['shared/a.step.ts', 'shared/n.ts'],
  });
  expect((await loadInThread(bundle)).values.a).toBe(1);
});

test('writes what has changed only, and keeps the outputs of the last five builds', async () => {
  const project = new Project(FILES);
  const outputs: string[][] = [];
  for (let version = 0; version < 8; version++) {
    project.write({ 'lib/helper.ts': `export const helper = () => ${version};` });
    const { entries } = await project.bundler.build();
    outputs.push(entries.map(({ output }) => output));
  }
  const unchanged = outputs.map(([, b]) => b);
  expect(new Set(unchanged).size).toBe(1);
  const changed = outputs.map(([a]) => existsSync(a as string));
  expect(changed).toEqual([false, false, false, true, true, true, true, true]);
});

test('removes what an earlier process left long ago, and mends what it left half', async () => {
  const project = new Project({
    ...FILES,
    '.motia/build/src/old-AAAAAAAA.mjs': '',
    '.motia/build/src/new-AAAAAAAA.mjs': '',
  });
  const [old, recent] = ['old', 'new'].map((name) => join(project.root, `.motia/build/src/${name}-AAAAAAAA.mjs`));
  utimesSync(old as string, 0, 0);
  const first = await project.bundler.build();
  expect([existsSync(old as string), existsSync(recent as string)]).toEqual([false, true]);
  const output = first.entries[0]?.output as string;
  truncateSync(output, 10);
  project.remove('.motia/build/cache.json');
  expect((await project.newBundler().build()).id).toBe(first.id);
  expect(statSync(output).size).toBeGreaterThan(10);
});

test('an edit that only moves lines gets a new source map', async () => {
  const project = new Project({ 'src/a.step.ts': `throw new Error('x');` });
  expect((await project.run()).failures).toMatchObject([{ line: 1 }]);
  project.write({ 'src/a.step.ts': `// a comment\n\nthrow new Error('x');` });
  expect((await project.run()).failures).toMatchObject([{ line: 3 }]);
});

test('builds on after a pause, in which esbuild was stopped', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const project = new Project(FILES);
    const first = await project.bundler.build();
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    project.write({ 'lib/helper.ts': `export const helper = () => 'later';` });
    const bundle = await project.bundler.build();
    expect(bundle.failures).toEqual([]);
    expect(bundle.id).not.toBe(first.id);
    await vi.advanceTimersByTimeAsync(60_000);
    await project.bundler.close();
  } finally {
    vi.useRealTimers();
  }
});

test('builds asked for at the same time do not mix', async () => {
  const project = new Project(FILES);
  const bundles = await Promise.all([
    project.bundler.build(),
    project.bundler.build(),
    project.bundler.revert(['src/b.step.ts']),
  ]);
  expect(new Set(bundles.map(({ id }) => id)).size).toBe(1);
});

describe('the next start', () => {
  afterEach(() => {
    vi.doUnmock('esbuild');
    vi.resetModules();
  });

  /** A bundler that cannot use esbuild. */
  async function bundlerWithoutEsbuild(project: Project) {
    vi.resetModules();
    const context = () => {
      throw new Error('esbuild was used');
    };
    vi.doMock('esbuild', () => ({ context, stop: () => {} }));
    const { StepBundler } = await import('../../../shared/steps/bundle.ts');
    return new StepBundler({ root: project.root, outDir: '.motia/build' });
  }

  test('does without esbuild when nothing has changed', async () => {
    const project = new Project({ ...FILES, 'motia.config.ts': 'export default {};' });
    const first = await project.bundler.build();
    expect(first.config).toBeDefined();
    const again = await (await bundlerWithoutEsbuild(project)).build();
    expect(again).toEqual(first);
  });

  test.each([
    ['helper', (project: Project) => project.write({ 'lib/helper.ts': 'export const helper = 1;' })],
    ['tsconfig', (project: Project) => project.write({ 'tsconfig.json': '{}' })],
    ['.env', (project: Project) => project.write({ '.env': 'A=2' })],
    ['new step', (project: Project) => project.write({ 'src/new.step.ts': '' })],
    ['removed step', (project: Project) => project.remove('src/b.step.ts')],
  ])('compiles when there is a change: %s', async (_, change) => {
    const project = new Project(FILES);
    await project.bundler.build();
    change(project);
    await expect((await bundlerWithoutEsbuild(project)).build()).rejects.toThrow('esbuild was used');
  });

  test('compiles when outputs are missing or the cache is damaged', async () => {
    const project = new Project(FILES);
    await project.bundler.build();
    project.write({ '.motia/build/cache.json': '{"key":' });
    await expect((await bundlerWithoutEsbuild(project)).build()).rejects.toThrow('esbuild was used');
  });

  test('compiles when the last build had failures', async () => {
    const project = new Project({ ...FILES, 'src/c.step.ts': '(' });
    await project.bundler.build();
    await expect((await bundlerWithoutEsbuild(project)).build()).rejects.toThrow('esbuild was used');
  });

  test('knows the good texts: an edit that breaks a file keeps its version', async () => {
    const project = new Project(FILES);
    await project.bundler.build();
    const next = project.newBundler();
    await next.build();
    next.confirm();
    project.write({ 'src/b.step.ts': '(' });
    const bundle = await next.build();
    expect(bundle.failures).toMatchObject([{ file: 'src/b.step.ts', kept: true }]);
    expect((await loadInThread(bundle)).values.b).toBe('b');
  });
});
