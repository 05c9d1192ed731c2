// `npm test`: prepares a fresh clone and runs all tests but the long ones of `npm run chaos`, or those of the kinds and files
// named as arguments. The last line is `N passed, N failed, N skipped` over the tests of both languages.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium, installChromium } from './chromium.mjs';
import { build, install } from './prepare.mjs';
import { runPythonBeside, testPython } from './python.mjs';

const USUAL = ['unit', 'integration', 'python', 'acceptance', 'browser'];
/** Kinds of test; `python` are those of the Python worker, with pytest, `browser` those with pages in Chromium. */
const KINDS = [...USUAL, 'chaos-short', 'chaos'];

install();
build();
await fetchServer();

const args = process.argv.slice(2);
const named = args.filter((arg) => KINDS.includes(arg));
const files = args.filter((arg) => !KINDS.includes(arg));
const kinds = named.length > 0 ? named : USUAL;
const count = { passed: 0, failed: 0, skipped: 0 };
const projects = kinds.filter((kind) => kind !== 'python');
if (projects.includes('browser') && !findChromium()) installChromium();
const pytestRun = kinds.includes('python') && files.length === 0 ? pytest(await testPython()) : undefined;
if (projects.length > 0) await vitest(projects);
await pytestRun;
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1);

async function vitest(project) {
  const { startVitest } = await import('vitest/node');
  const vitest = await startVitest('test', files, { watch: false, project });
  const modules = vitest.state.getTestModules();
  const strayErrors = vitest.state.getUnhandledErrors();
  await vitest.close();

  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const withState = (state) => tests.filter((test) => test.result().state === state);
  // A file that cannot be loaded, a failing hook and an error outside of any test count as one failure each.
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  const skipped = withState('skipped');
  for (const test of skipped) console.log(`skipped: ${test.fullName}: ${test.result().note ?? 'no reason given'}`);
  for (const test of tests.filter((test) => test.diagnostic()?.flaky)) {
    console.log(
      `passed at the second try only: ${test.fullName}: ${test.result().errors?.[0]?.message ?? 'no error told'}`,
    );
  }
  count.passed += withState('passed').length;
  count.failed += withState('failed').length + suites.flatMap((suite) => suite.errors()).length + strayErrors.length;
  count.skipped += skipped.length;
}

/** Runs beside the others. pytest names each skipped test with its reason (`-rs`); its counts are read from its report. */
async function pytest(python) {
  if (!python) {
    console.log('skipped: the tests of the Python worker: there is no Python that can run them');
    count.skipped++;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'motia-pytest-'));
  const report = join(folder, 'report.xml');
  const { code, output } = await runPythonBeside(python, 'pytest', '--quiet', '-rs', `--junit-xml=${report}`);
  console.log(`The tests of the Python worker:\n${output}`);
  const suite = readFileSync(report, 'utf8').match(/<testsuite [^>]*>/)?.[0] ?? '';
  rmSync(folder, { recursive: true });
  const number = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  count.passed += number('tests') - failed - number('skipped');
  count.failed += failed || (code === 0 ? 0 : 1);
  count.skipped += number('skipped');
}

/** Before the tests start, because a download must not count against the time limit of the first one. */
async function fetchServer() {
  const { findNatsServer } = await import('../dist/cli/nats-server.js');
  const { readEnvironment } = await import('../dist/shared/config.js');
  const { natsServer: configured, searchPath, cacheDir } = readEnvironment();
  const { version, path } = await findNatsServer({ configured, searchPath, cacheDir, progress: console.log });
  console.log(`Tests run against nats-server ${version} (${path})`);
}
