/** `motia install`: makes the environment of the project's Python steps, if it has some. What `postinstall` is for. */
import { join } from 'node:path';
import { discoverSteps } from '../../shared/steps/discover.ts';
import { BUILD_FOLDER, FILES_FOLDER } from '../../shared/steps/paths.ts';
import { commandOptions, type Flags } from '../options.ts';
import { prepareProjectEnvironment } from '../python/project-environment.ts';

export async function install({ verbose, ...flags }: Flags): Promise<number> {
  const options = commandOptions(flags, 'readable');
  const requirements = pythonSources(options.root);
  if (requirements === undefined) {
    console.log('Nothing to install: there are no Python steps');
    return 0;
  }
  const details = verbose ? (text: string) => console.error(text) : undefined;
  const { python, version } = await prepareProjectEnvironment(options, { requirements, details });
  console.log(`Python ${version} has what the steps require (${python})`);
  return 0;
}

/** The folder with the Python steps: the project, or, where it is without its sources, what was built of it. */
function pythonSources(root: string): string | undefined {
  for (const folder of [root, join(root, BUILD_FOLDER, FILES_FOLDER)]) {
    if (discoverSteps(folder).python.length > 0) return folder;
  }
  return undefined;
}
