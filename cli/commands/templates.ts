/** `motia templates`: what `motia create` can begin with. */
import { DEFAULT_TEMPLATE, TEMPLATES } from '../create/templates.ts';
import type { Flags } from '../options.ts';
import { table } from '../table.ts';

export async function templates({ json }: Flags): Promise<number> {
  if (json) {
    console.log(JSON.stringify(TEMPLATES, null, 2));
    return 0;
  }
  const rows = TEMPLATES.map(({ name, description }) => [
    name,
    name === DEFAULT_TEMPLATE ? `${description} (default)` : description,
  ]);
  console.log(table(['TEMPLATE', 'WHAT IT SHOWS'], rows));
  return 0;
}
