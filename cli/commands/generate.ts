/** `motia generate`: documents made from the project, and new steps. */
import { stringify } from 'yaml';
import { readPackage } from '../../shared/config.ts';
import { openApi } from '../../shared/steps/openapi.ts';
import { writeIfChanged } from '../../shared/write-if-changed.ts';
import { helmValues } from '../generate/helm-values.ts';
import { writeDiagrams } from '../generate/keep-up-to-date.ts';
import { describeProject } from '../generate/project.ts';
import { commandOptions, type Flags } from '../options.ts';

const ABOUT_VALUES = `# Groups of workers for the Helm chart, by what the steps say in infrastructure.handler. Written by \`motia generate helm-values\`:
# write it anew with every version of the app, since together the groups have to take all steps.
`;

export async function generate({
  what,
  title,
  docVersion,
  output,
  scaleBy = 'none',
  ...flags
}: Flags): Promise<number> {
  if (what === 'step') return (await import('./generate-step.ts')).generateStep(flags);
  const options = commandOptions(flags, 'readable');
  const { steps } = await describeProject(options);
  if (what === 'mermaid') {
    for (const file of writeDiagrams(options.root, steps)) console.log(`Wrote ${file}`);
    return 0;
  }
  if (what === 'helm-values') {
    const values = stringify(helmValues(options.app, steps, scaleBy));
    return write(options.root, output ?? 'helm-values.yaml', `${ABOUT_VALUES}${values}`);
  }
  const named = readPackage(options.root);
  const info = { title: title ?? named.name ?? options.app, version: docVersion ?? named.version ?? '1.0.0' };
  return write(options.root, output ?? 'openapi.json', `${JSON.stringify(openApi(info, steps), null, 2)}\n`);
}

function write(root: string, file: string, text: string): number {
  writeIfChanged(root, file, text);
  console.log(`Wrote ${file}`);
  return 0;
}
