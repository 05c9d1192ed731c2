// Builds the program into `dist/`: what belongs together is one file, since to load some hundred small ones takes longer than to run
// them. The compiler (`tsc`) writes the types beside it.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
/** Built for itself, see `workbench/vite.config.ts`. */
const PAGE = 'workbench';

/**
 * Each set is built without regard to the others, so that it is in fewer files: what users import; the program; the processes and threads
 * that it starts. Within a set what entries share is in chunks, so a module has one instance, whichever entry it came by; what two sets
 * have in common is there twice.
 */
const SETS = [
  // The head start is an entry so that it is a file of its own: it is to be loaded before the rest.
  ['index.ts', 'workbench.ts', 'testing/head-start.ts', 'testing/index.ts', 'testing/mocks.ts', 'testing/host.ts'],
  ['cli/main.ts'],
  ['cli/worker-child.ts'],
  ['worker/handler/main.ts'],
  ['shared/span-export/export-thread.ts'],
  // What scripts, benchmarks and tests of this repository import of the built program, in plain Node.
  [
    'cli/nats-server.ts',
    'cli/python/environment.ts',
    'cli/python/toolchain.ts',
    'shared/broker/blobs.ts',
    'shared/broker/connect.ts',
    'shared/broker/publish.ts',
    'shared/broker/state.ts',
    'shared/broker/topology.ts',
    'shared/config.ts',
    'shared/lifecycle.ts',
    'shared/protocol/subjects.ts',
    'testing/nats-server.ts',
  ],
];
/** For loaders that know no ES modules. */
const COMMON_JS = ['require.cts', 'testing/require.cts', 'testing/require-mocks.cts'];
/** The one package that is built in: every process and thread of ours loads it, and needs a part of it only. */
const BUILT_IN = 'zod';

const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const external = Object.keys(dependencies).filter((name) => name !== BUILT_IN);
const common = {
  absWorkingDir: ROOT,
  outdir: DIST,
  outbase: '.',
  platform: 'node',
  target: 'node20',
};

mkdirSync(DIST, { recursive: true });
for (const name of readdirSync(DIST)) if (name !== PAGE) rmSync(join(DIST, name), { recursive: true });
for (const entryPoints of SETS) {
  await build({
    ...common,
    ...{ entryPoints, bundle: true, splitting: true, format: 'esm' },
    ...{ external, chunkNames: 'chunks/[name]-[hash]' },
  });
}
await build({ ...common, entryPoints: COMMON_JS, format: 'cjs', outExtension: { '.js': '.cjs' } });
const licence = readFileSync(join(ROOT, 'node_modules', BUILT_IN, 'LICENSE'), 'utf8');
writeFileSync(join(DIST, `LICENSE-${BUILT_IN}`), licence);
