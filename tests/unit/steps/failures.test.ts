/** One bad file must not take the others down, and its last good version stays. */
import { describe, expect, test } from 'vitest';
import { apiStep, type Files, Project } from './project.ts';

const GOOD: Files = {
  'src/a.step.ts': apiStep('a', 'helper()', `import { helper } from './helper';`),
  'src/b.step.ts': apiStep('b', `'b1'`),
  'src/helper.ts': `export const helper = () => 'h1';`,
};

/** A project whose first version was built, loaded and confirmed. */
async function goodProject(files: Files = GOOD): Promise<Project> {
  const project = new Project(files);
  expect((await project.run()).failures).toEqual([]);
  project.bundler.confirm();
  return project;
}

describe('a file that does not compile', () => {
  test('in the first build: the others are served, the failure shows the place', async () => {
    const project = new Project({ ...GOOD, 'src/c.step.ts': 'const x = __dirname;\nconst y = = 2;\n' });
    const { values, failures } = await project.run();
    expect(values).toEqual({ a: 'h1', b: 'b1' });
    expect(failures).toEqual([
      {
        file: 'src/c.step.ts',
        line: 2,
        column: 11,
        kept: false,
        message: 'src/c.step.ts:2:11: Unexpected "="\n  2 | const y = = 2;',
      },
    ]);
  });

  test('the position on the first line does not count what the bundler adds there', async () => {
    const project = new Project({ 'src/c.step.ts': 'const x = = __dirname;' });
    const { failures } = await project.run();
    expect(failures[0]).toMatchObject({
      line: 1,
      column: 11,
      message: expect.stringContaining('1 | const x = = __dirname;'),
    });
  });

  test('keeps its last good version until it is repaired', async () => {
    const project = await goodProject();
    project.write({ 'src/b.step.ts': 'export const config = {', 'src/helper.ts': `export const helper = () => 'h2';` });
    const broken = await project.run();
    expect(broken.values).toEqual({ a: 'h2', b: 'b1' });
    expect(broken.failures).toEqual([expect.objectContaining({ file: 'src/b.step.ts', kept: true, line: 1 })]);
    project.write({ 'src/b.step.ts': apiStep('b', `'b2'`) });
    expect(await project.run()).toMatchObject({ values: { a: 'h2', b: 'b2' }, failures: [] });
  });

  test('a new helper without a good version: the step that imports it stays as it was', async () => {
    const project = await goodProject();
    project.write({
      'src/a.step.ts': apiStep('a', 'fresh()', `import { fresh } from './fresh';`),
      'src/fresh.ts': 'export const fresh = (',
    });
    const broken = await project.run();
    expect(broken.values).toEqual({ a: 'h1', b: 'b1' });
    expect(broken.failures).toMatchObject([{ file: 'src/fresh.ts', kept: true }]);
    project.write({ 'src/fresh.ts': `export const fresh = () => 'fresh';` });
    expect(await project.run()).toMatchObject({ values: { a: 'fresh', b: 'b1' }, failures: [] });
  });

  test('a helper broken from the start takes down only the steps that need it, and says which', async () => {
    const { values, failures } = await new Project({ ...GOOD, 'src/helper.ts': 'export const = 1' }).run();
    expect(values).toEqual({ b: 'b1' });
    expect(failures).toEqual([
      { file: 'src/a.step.ts', kept: false, message: 'src/a.step.ts needs src/helper.ts, which does not compile' },
      expect.objectContaining({ file: 'src/helper.ts', kept: false }),
    ]);
  });

  test('several at once', async () => {
    const project = await goodProject();
    project.write({ 'src/a.step.ts': '(', 'src/b.step.ts': ')', 'src/helper.ts': '}' });
    const { values, failures } = await project.run();
    expect(values).toEqual({ a: 'h1', b: 'b1' });
    expect(failures.map(({ file, kept }) => [file, kept])).toEqual([
      ['src/a.step.ts', true],
      ['src/b.step.ts', true],
      ['src/helper.ts', true],
    ]);
  });

  test('JSON', async () => {
    const head = `import data from './data.json';`;
    const project = await goodProject({ 'src/a.step.ts': apiStep('a', 'data.n', head), 'src/data.json': '{"n":1}' });
    project.write({ 'src/data.json': '{"n":' });
    expect(await project.run()).toMatchObject({
      values: { a: 1 },
      failures: [{ file: 'src/data.json', kept: true }],
    });
  });
});

describe('an import that leads nowhere', () => {
  test('to a missing file: the last good version of the importer stays', async () => {
    const project = await goodProject();
    project.write({ 'src/b.step.ts': apiStep('b', 'nope', `import { nope } from './nope';`) });
    const { values, failures } = await project.run();
    expect(values).toEqual({ a: 'h1', b: 'b1' });
    expect(failures).toEqual([
      expect.objectContaining({ kept: true, message: expect.stringContaining('Could not resolve "./nope"') }),
    ]);
  });

  test('to a name that a changed helper lost: the helper stays as it was, later edits elsewhere count', async () => {
    const project = await goodProject();
    project.write({ 'src/helper.ts': `export const renamed = () => 'h2';` });
    expect(await project.run()).toMatchObject({
      values: { a: 'h1', b: 'b1' },
      failures: [{ file: 'src/a.step.ts', kept: true }],
    });
    project.write({ 'src/b.step.ts': apiStep('b', `'b2'`) });
    expect(await project.run()).toMatchObject({ values: { a: 'h1', b: 'b2' } });
  });

  test('to a deleted helper: the step goes, and comes back with the helper', async () => {
    const project = await goodProject();
    project.remove('src/helper.ts');
    expect(await project.run()).toMatchObject({
      values: { b: 'b1' },
      failures: [{ file: 'src/a.step.ts', kept: false }],
    });
    project.write(GOOD);
    expect(await project.run()).toMatchObject({ values: { a: 'h1', b: 'b1' }, failures: [] });
  });

  test('to a package that is not installed: reported when loaded', async () => {
    const { values, failures } = await new Project({
      ...GOOD,
      'src/c.step.ts': apiStep('c', 'x', `import x from 'not-installed-at-all';`),
    }).run();
    expect(values).toEqual({ a: 'h1', b: 'b1' });
    expect(failures).toEqual([
      expect.objectContaining({ file: 'src/c.step.ts', message: expect.stringContaining('not-installed-at-all') }),
    ]);
  });
});

describe('a module that throws while it is imported', () => {
  test('is reported with its source position, the others load', async () => {
    const project = new Project({
      ...GOOD,
      'src/c.step.ts': `const one: number = 1;\n\nthrow new TypeError('no ' + one);`,
    });
    const { values, failures } = await project.run();
    expect(values).toEqual({ a: 'h1', b: 'b1' });
    expect(failures).toEqual([
      { file: 'src/c.step.ts', line: 3, column: 7, kept: false, message: 'src/c.step.ts:3:7: TypeError: no 1' },
    ]);
  });

  test('in a helper: the step is named, and the place in the helper', async () => {
    const project = new Project({
      ...GOOD,
      'src/helper.ts': `export const helper = 1;\nthrow new Error('helper down');`,
    });
    expect((await project.run()).failures).toEqual([
      { file: 'src/a.step.ts', kept: false, message: 'src/a.step.ts: Error: helper down (at src/helper.ts:2:7)' },
    ]);
  });

  test('can be reverted until it changes again', async () => {
    const project = await goodProject();
    project.write({ 'src/b.step.ts': `throw new Error('bad');`, 'src/helper.ts': `export const helper = () => 'h2';` });
    expect((await project.run()).values).toEqual({ a: 'h2' });
    const reverted = await project.bundler.revert(['src/b.step.ts']);
    expect(reverted.failures).toMatchObject([{ file: 'src/b.step.ts', kept: true }]);
    expect((await project.run()).values).toEqual({ a: 'h2', b: 'b1' });
    project.write({ 'src/b.step.ts': apiStep('b', `'b3'`) });
    expect(await project.run()).toMatchObject({ values: { a: 'h2', b: 'b3' }, failures: [] });
  });
});

test('a tsconfig.json that cannot be read leaves the last build in place', async () => {
  const project = await goodProject();
  const before = await project.bundler.build();
  project.write({ 'tsconfig.json': '{ "compilerOptions": {' });
  const after = await project.bundler.build();
  expect(after.id).toBe(before.id);
  expect(after.failures).toMatchObject([{ file: 'tsconfig.json', kept: true }]);
  project.write({ 'tsconfig.json': '{}' });
  expect((await project.bundler.build()).failures).toEqual([]);
});
