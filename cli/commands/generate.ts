/** `motia generate`: documents made from the project. */
import { readPackage } from '../../shared/config.ts';
import { openApi } from '../../shared/steps/openapi.ts';
import { writeIfChanged } from '../../shared/write-if-changed.ts';
import { writeDiagrams } from '../generate/keep-up-to-date.ts';
import { describeProject } from '../generate/project.ts';
import { commandOptions, type Flags } from '../options.ts';

export async function generate({ what, title, docVersion, output = 'openapi.json', ...flags }: Flags): Promise<number> {
  const options = commandOptions(flags, 'readable');
  const { steps } = await describeProject(options);
  if (what === 'mermaid') {
    for (const file of writeDiagrams(options.root, steps)) console.log(`Wrote ${file}`);
    return 0;
  }
  const named = readPackage(options.root);
  const info = { title: title ?? named.name ?? options.app, version: docVersion ?? named.version ?? '1.0.0' };
  writeIfChanged(options.root, output, `${JSON.stringify(openApi(info, steps), null, 2)}\n`);
  console.log(`Wrote ${output}`);
  return 0;
}
