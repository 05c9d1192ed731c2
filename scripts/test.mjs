// `npm test`: prepares a fresh clone and runs all tests but the long ones of `npm run chaos`, or those of the projects and files
// named as arguments. The last line is `N passed, N failed, N skipped`.
import { build, install } from './prepare.mjs';

const USUAL = ['unit', 'integration', 'acceptance'];
const PROJECTS = [...USUAL, 'chaos'];

install();
build();
await fetchServer();

const args = process.argv.slice(2);
const named = args.filter((arg) => PROJECTS.includes(arg));
const files = args.filter((arg) => !PROJECTS.includes(arg));
const project = named.length > 0 ? named : USUAL;
const { startVitest } = await import('vitest/node');
const vitest = await startVitest('test', files, { watch: false, project });
const modules = vitest.state.getTestModules();
const strayErrors = vitest.state.getUnhandledErrors();
await vitest.close();

const tests = modules.flatMap((module) => [...module.children.allTests()]);
const withState = (state) => tests.filter((test) => test.result().state === state);
// A file that cannot be loaded, a failing hook and an error outside of any test count as one failure each.
const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
const failed = withState('failed').length + suites.flatMap((suite) => suite.errors()).length + strayErrors.length;
const skipped = withState('skipped');
for (const test of skipped) console.log(`skipped: ${test.fullName}: ${test.result().note ?? 'no reason given'}`);
console.log(`${withState('passed').length} passed, ${failed} failed, ${skipped.length} skipped`);
process.exit(failed === 0 && tests.length > 0 ? 0 : 1);

/** Before the tests start, because a download must not count against the time limit of the first one. */
async function fetchServer() {
  const { findNatsServer } = await import('../dist/cli/nats-server.js');
  const { readEnvironment } = await import('../dist/shared/config.js');
  const { natsServer: configured, searchPath, cacheDir } = readEnvironment();
  const { version, path } = await findNatsServer({ configured, searchPath, cacheDir, progress: console.log });
  console.log(`Tests run against nats-server ${version} (${path})`);
}
