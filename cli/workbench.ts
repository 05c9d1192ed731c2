/** Where the Workbench is, and whether a command has one. */
import { join } from 'node:path';
import type { Environment } from '../shared/config.ts';
import { PACKAGE_ROOT } from '../shared/package-root.ts';
import { CliError } from './cli-error.ts';

const FOLDER = join(PACKAGE_ROOT, 'dist/workbench');

/** The path of its first page. */
export const WORKBENCH_PATH = '/__motia/ui/';

/** Of `motia dev`, which has one unless it is not wanted. */
export const devWorkbench = ({ workbench }: Environment): string | undefined =>
  workbench === 'off' ? undefined : FOLDER;

/**
 * Of a deployment, which has one only if it is wanted and protected.
 * @throws {CliError} when it would be open to anybody.
 */
export function deployedWorkbench({ workbench, adminToken }: Environment): string | undefined {
  if (workbench !== 'on') return undefined;
  if (adminToken !== undefined) return FOLDER;
  throw new CliError(
    'MOTIA_WORKBENCH=on needs MOTIA_ADMIN_TOKEN: what the Workbench shows and does is for who has that token',
  );
}
