/** What the modules of a project may look like and import. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { apiStep, type Files, Project } from './project.ts';

/** What the handler of the step `main` returns; nothing may fail. */
async function run(files: Files): Promise<unknown> {
  const { values, failures } = await new Project(files).run();
  expect(failures).toEqual([]);
  return values.main;
}

const ESM = JSON.stringify({ type: 'module' });

describe.each([
  ['type: module', ESM],
  ['type: commonjs', JSON.stringify({ type: 'commonjs' })],
  ['no type', '{}'],
])('package.json with %s', (_, packageJson) => {
  test('imports helpers, JSON, npm packages and Node modules', async () => {
    const head = `import { helper } from './lib/helper'; import data from '../data.json'; import { z } from 'zod'; import { sep } from 'node:path';`;
    const result = await run({
      'package.json': packageJson,
      'data.json': '{ "n": 1 }',
      'src/main.step.ts': apiStep('main', `[helper(), data.n, typeof z.object, typeof sep]`, head),
      'src/lib/helper.ts': `export const helper = (): string => 'h';`,
    });
    expect(result).toEqual(['h', 1, 'function', 'string']);
  });

  test('require works beside import: Node modules, npm packages, local files', async () => {
    const head = `const fs = require('fs'); const { z } = require('zod'); const local = require('./local.cjs');`;
    const result = await run({
      'package.json': packageJson,
      'src/main.step.ts': apiStep('main', `[typeof fs.readFileSync, typeof z.object, local.x]`, head),
      'src/local.cjs': `module.exports = { x: 5 };`,
    });
    expect(result).toEqual(['function', 'function', 5]);
  });

  test('paths are those of the source', async () => {
    const project = new Project({
      'package.json': packageJson,
      'src/main.step.ts': apiStep(
        'main',
        '[__dirname, __filename, import.meta.url, import.meta.dirname, import.meta.filename]',
      ),
      'src/legacy.step.js': apiStep('legacy', 'require.main === module'),
    });
    const { values } = await project.run();
    const file = join(project.root, 'src/main.step.ts');
    const dir = join(project.root, 'src');
    expect(values.main).toEqual([dir, file, pathToFileURL(file).href, dir, file]);
    expect(values.legacy).toBe(false);
  });
});

test('CommonJS steps: exports.x and module.exports', async () => {
  const config = (name: string) => `{ type: 'api', name: '${name}', method: 'GET', path: '/${name}', emits: [] }`;
  const { values, failures } = await new Project({
    'package.json': '{}',
    'src/a.step.js': `exports.config = ${config('a')}; exports.handler = async () => __filename.endsWith('a.step.js');`,
    'src/b.step.js': `module.exports = { config: ${config('b')}, handler: async () => 'b' };`,
    'src/c.step.ts': `import { sep } from 'path'; exports.config = ${config('c')}; exports.handler = async () => typeof sep;`,
    'src/d.step.cjs': `exports.config = ${config('d')}; exports.handler = () => require.main === module;`,
  }).run();
  expect(failures).toEqual([]);
  expect(values).toEqual({ a: true, b: 'b', c: 'string', d: false });
});

test('CommonJS helper in an ES module, ES module in a CommonJS helper', async () => {
  const result = await run({
    'package.json': '{}',
    'src/main.step.ts': apiStep('main', '[whole.a, a, esmSide()]', `import whole, { a, esmSide } from './helper';`),
    'src/helper.js': `const { b } = require('./esm'); module.exports = { a: 1, esmSide: () => b };`,
    'src/esm.ts': `export const b = 2;`,
  });
  expect(result).toEqual([1, 1, 2]);
});

test('tsconfig paths and baseUrl', async () => {
  const result = await run({
    'tsconfig.json': JSON.stringify({ compilerOptions: { baseUrl: '.', paths: { '@lib/*': ['src/lib/*'] } } }),
    'src/main.step.ts': apiStep('main', '[x, y]', `import { x } from '@lib/x'; import { y } from 'src/lib/y';`),
    'src/lib/x.ts': `export const x = 'x';`,
    'src/lib/y.ts': `export const y = 'y';`,
  });
  expect(result).toEqual(['x', 'y']);
});

test('top-level await and dynamic import', async () => {
  const result = await run({
    'src/main.step.ts': apiStep(
      'main',
      `[ready, (await import('./later')).later]`,
      `const ready = await Promise.resolve(1);`,
    ),
    'src/later.ts': `export const later = 2;`,
  });
  expect(result).toEqual([1, 2]);
});

test('a module imported by two steps exists once', async () => {
  const { values } = await new Project({
    'src/a.step.ts': apiStep('a', '++counter.n', `import { counter } from './counter';`),
    'src/b.step.ts': apiStep('b', '++counter.n', `import { counter } from '../src/counter';`),
    'src/counter.ts': `export const counter = { n: 0 };`,
  }).run();
  expect(values).toEqual({ a: 1, b: 2 });
});

test('names that projects declare themselves do not clash with ours', async () => {
  const head = `
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
const __filename = fileURLToPath(import.meta.url);
const __dirname = path.dirname(__filename);
const require = createRequire(import.meta.url);
const module = 'mine';`;
  const project = new Project({
    'package.json': ESM,
    'src/main.step.ts': apiStep('main', `[__dirname, require('./data.json').n, module]`, head),
    'src/data.json': '{ "n": 3 }',
  });
  expect((await project.run()).values.main).toEqual([join(project.root, 'src'), 3, 'mine']);
});

test('a hashbang is no obstacle', async () => {
  const hashbang = `#!/usr/bin/env node${apiStep('main', '__dirname.length > 0')}`;
  expect(await run({ 'src/main.step.js': hashbang })).toBe(true);
});

describe('import names of Motia', () => {
  test('resolve without being installed', async () => {
    const head = `
import { NonRetriableError } from 'motia';
import { defineConfig, config as older } from '@motiadev/core';
import plugin, { AnyName } from '@motiadev/plugin-logs/plugin';
import { BullMQEventAdapter } from '@motiadev/adapter-bullmq-events';
import * as workbench from 'motia/workbench';
import { Stream } from '@motiadev/stream-client-node';
const required = require('@motiadev/plugin-states/plugin');`;
    const result = await run({
      'src/main.step.ts': apiStep(
        'main',
        `[new NonRetriableError('x').name, defineConfig({}), older({}), plugin(), typeof AnyName,
          typeof new BullMQEventAdapter({}), typeof workbench.ApiNode, typeof Stream, required()]`,
        head,
      ),
    });
    const shim = { workbench: [] };
    expect(result).toEqual(['NonRetriableError', {}, {}, shim, 'function', 'object', 'function', 'function', shim]);
  });

  test('an import of types only leaves nothing behind', async () => {
    const head = `import { ApiRouteConfig, Handlers } from 'motia';\nconst typed = <T,>(x: T): T => x;\ntype C = ApiRouteConfig | Handlers;`;
    expect(await run({ 'src/main.step.ts': apiStep('main', 'typed<C | string>("ok")', head) })).toBe('ok');
  });
});

describe('CommonJS packages whose exports Node does not see', () => {
  const packages = {
    'node_modules/hidden/package.json': '{ "name": "hidden" }',
    'node_modules/hidden/index.js': `const all = { one: () => 1 }; Object.assign(module.exports = function whole() {}, all);`,
    'node_modules/hidden/sub.js': `exports.__esModule = true; exports.default = 'd'; for (const k of ['x']) exports[k] = k;`,
    'node_modules/modern/package.json': '{ "name": "modern", "type": "module", "main": "index.js" }',
    'node_modules/modern/index.js': `export const named = await Promise.resolve('n'); export default 'whole';`,
  };
  const head = `
import whole, { one } from 'hidden';
import * as space from 'hidden';
import d, { x } from 'hidden/sub.js';
import modern, { named } from 'modern';`;
  const step = apiStep('main', '[whole.name, one(), space.one(), d, x, modern, named]', head);

  test.each(['{}', '{ "type": "commonjs" }'])('are found as in a CommonJS project: %s', async (packageJson) => {
    const result = await run({ ...packages, 'package.json': packageJson, 'src/main.step.ts': step });
    expect(result).toEqual(['whole', 1, 1, 'd', 'x', 'whole', 'n']);
  });

  test('follow the rules of Node in a project of type module', async () => {
    const project = new Project({ ...packages, 'package.json': ESM, 'src/main.step.ts': step });
    expect((await project.run()).failures).toMatchObject([{ file: 'src/main.step.ts' }]);
    project.write({ 'package.json': '{}' });
    expect((await project.run()).failures).toEqual([]);
  });
});
