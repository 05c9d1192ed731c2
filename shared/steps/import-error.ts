/** Turns what a module threw while it was imported into one failure that names the source. */
import { fileURLToPath } from 'node:url';
import type { StepFailure } from './bundle.ts';
import { projectPath } from './paths.ts';

const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()\n]*?):(\d+):(\d+)\)?$/gm;

/** Where and why the import of an entry point failed; a position only when it is in that file itself. */
export function describeImportError(error: unknown, root: string, file: string): Omit<StepFailure, 'kept'> {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`;
  const cause = text.replaceAll(/ imported from .*$/gm, '').split('\n')[0];
  const where = firstProjectFrame(error, root);
  if (where === undefined) return { file, message: `${file}: ${cause}` };
  const { line, column } = where;
  const position = `${where.file}:${line}:${column}`;
  if (where.file !== file) return { file, message: `${file}: ${cause} (at ${position})` };
  return { file, message: `${position}: ${cause}`, line, column };
}

/** The innermost frame in a source file of the project; source maps have been applied to the stack by Node. */
function firstProjectFrame(error: unknown, root: string) {
  const stack = error instanceof Error ? String(error.stack) : '';
  for (const [, location = '', line, column] of stack.matchAll(FRAME)) {
    const path = location.startsWith('file://') ? fileURLToPath(location) : location;
    const file = projectPath(root, path);
    if (file.startsWith('../') || file.includes('node_modules/') || isOutput(file)) continue;
    return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
}

/** Compiled modules have a hash in their names. */
function isOutput(file: string): boolean {
  return /-[A-Z0-9]{8}\.mjs$/.test(file);
}
