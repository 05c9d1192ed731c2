// `npm run demo`: from a fresh clone to a running example in one command.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build, CLI, install, ROOT } from './prepare.mjs';

const EXAMPLE = join(ROOT, 'examples/hello');

install();
build();
linkFramework();
console.log('Starting examples/hello; try: curl localhost:3000/hello?name=you');
const dev = spawn(process.execPath, [CLI, 'dev', '--port', '3000', ...process.argv.slice(2)], {
  cwd: EXAMPLE,
  stdio: 'inherit',
});
process.on('SIGINT', () => undefined); // the terminal sends Ctrl-C to the child as well; its end is ours
process.on('SIGTERM', () => dev.kill('SIGTERM'));
dev.on('exit', (code) => process.exit(code ?? 1));

/** `import … from 'motia'` in the example means this clone, without a registry. */
function linkFramework() {
  const modules = join(EXAMPLE, 'node_modules');
  mkdirSync(modules, { recursive: true });
  rmSync(join(modules, 'motia'), { recursive: true, force: true });
  symlinkSync(ROOT, join(modules, 'motia'), 'junction');
}
