/** `motia generate-types`: writes `types.d.ts`. */

import { writeIfChanged } from '../../shared/write-if-changed.ts';
import { TYPES_FILE } from '../generate/keep-up-to-date.ts';
import { describeProject } from '../generate/project.ts';
import { projectTypes } from '../generate/project-types.ts';
import { commandOptions, type Flags } from '../options.ts';

export async function generateTypes(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'readable');
  const project = await describeProject(options);
  const changed = writeIfChanged(options.root, TYPES_FILE, projectTypes(project));
  console.log(changed ? `Wrote ${TYPES_FILE}` : `${TYPES_FILE} is up to date`);
  return 0;
}
