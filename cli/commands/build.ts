/** `motia build`: compiles the project into `dist/`, from which it runs without its sources. */

import { BUILD_FOLDER } from '../../shared/steps/paths.ts';
import { buildProject } from '../build/build-project.ts';
import { commandOptions, type Flags } from '../options.ts';
import { countOf } from '../table.ts';

export async function build(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'readable');
  console.log(`Building ${options.app} …`);
  const { steps, streams, warnings } = await buildProject(options);
  for (const warning of warnings) console.error(warning);
  const made = [countOf(steps, 'step'), ...(streams > 0 ? [countOf(streams, 'stream')] : [])].join(' and ');
  console.log(`Built ${made} into ${BUILD_FOLDER}/ in ${Math.round(performance.now())} ms`);
  return 0;
}
