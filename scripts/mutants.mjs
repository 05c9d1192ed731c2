// `npm run mutants`: switches off the mechanism behind each guarantee, one at a time and in a copy of the repository, and sees
// whether a test turns red. Prints a line for each, and fails if one survives. `--quick` runs the short ones only, other
// arguments those whose guarantee contains one of them.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTANTS } from '../tests/mutants/mutants.mjs';
import { install, ROOT } from './prepare.mjs';

const TEST_TIMEOUT_MS = 180_000;
/** The environment of the tests that run Python. */
const PYTHON_TESTS = 'python-worker/tests/python_modules';
/** What a copy leaves out, at the top of the repository. */
const LEFT_OUT = ['.git', '.motia', 'node_modules', 'dist'].map((name) => join(ROOT, name));

install();
const wanted = process.argv.slice(2);
const words = wanted.filter((arg) => arg !== '--quick');
const mutants = MUTANTS.filter(
  ({ guarantee, quick }) =>
    (quick || !wanted.includes('--quick')) && (words.length === 0 || words.some((word) => guarantee.includes(word))),
);

const copy = mkdtempSync(join(tmpdir(), 'motia-mutants-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
cpSync(ROOT, copy, {
  recursive: true,
  filter: (path) => !LEFT_OUT.includes(path) && path !== join(ROOT, PYTHON_TESTS),
});
for (const folder of ['node_modules', PYTHON_TESTS]) {
  if (existsSync(join(ROOT, folder))) symlinkSync(join(ROOT, folder), join(copy, folder), 'junction');
}

/** Mutants that no test has noticed, and tests that cannot tell. */
const failures = [];
checkWithout();
for (const mutant of mutants) check(mutant);
console.log(`${mutants.length - failures.length} of ${mutants.length} mutants killed`);
for (const { guarantee, why } of failures) console.log(`NOT KILLED: ${guarantee} (${why})`);
process.exit(failures.length === 0 ? 0 : 1);

/** A test that is red without any mutant would kill them all. */
function checkWithout() {
  build();
  const tests = [...new Map(mutants.map((mutant) => [`${mutant.test} ${mutant.name}`, mutant])).values()];
  const red = tests.filter((mutant) => !isGreen(mutant));
  for (const { test, name } of red) console.error(`red without any mutant: ${test}${name ? ` "${name}"` : ''}`);
  if (red.length > 0) process.exit(1);
}

function check(mutant) {
  const { guarantee, file, from, to } = mutant;
  const path = join(copy, file);
  const original = readFileSync(path, 'utf8');
  const started = performance.now();
  const why =
    original.split(from).length === 2
      ? survival(
          mutant,
          path,
          original.replace(from, () => to),
        )
      : `stale: ${file}`;
  writeFileSync(path, original);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${why === undefined ? 'killed  ' : 'SURVIVED'} ${seconds.padStart(6)} s  ${guarantee}`);
  if (why !== undefined) failures.push({ guarantee, why });
}

function survival(mutant, path, text) {
  writeFileSync(path, text);
  build();
  return isGreen(mutant) ? `${mutant.test} stays green` : undefined;
}

/** Whatever the types say: the program is written. */
function build() {
  run(join(copy, 'scripts/build.mjs'), []);
  for (const project of ['tsconfig.build.json', 'stream-client']) {
    run(join(ROOT, 'node_modules/typescript/bin/tsc'), ['-p', project, '--noEmitOnError', 'false', '--noCheck']);
  }
}

/** Where no test has the name, none fails either: that is not green. */
function isGreen({ test, name }) {
  const args = ['run', '--bail=1', test, ...(name ? ['-t', name] : [])];
  const { status, stdout } = run(join(ROOT, 'node_modules/vitest/vitest.mjs'), args);
  return status === 0 && /Tests .*\d passed/.test(stdout);
}

function run(program, args) {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 64 * 1024 ** 2,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: TEST_TIMEOUT_MS,
  });
}
