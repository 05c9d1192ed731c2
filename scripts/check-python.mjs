// `npm run check-python`: style, form and types of the Python worker.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, ROOT } from './prepare.mjs';
import { PYTHON_WORKER, runPython, testPython } from './python.mjs';

install();
build();
const python = await testPython();
if (python) {
  const pyright = join(ROOT, 'node_modules/pyright/index.js');
  const codes = [
    runPython(python, 'ruff', 'check', '--quiet'),
    runPython(python, 'ruff', 'format', '--check', '--quiet'),
    spawnSync(process.execPath, [pyright, '--pythonpath', python], {
      cwd: PYTHON_WORKER,
      stdio: ['ignore', 'inherit', 'inherit'],
    }).status,
  ];
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
}
