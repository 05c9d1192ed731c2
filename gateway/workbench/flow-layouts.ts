/** Where people have put the steps of each flow: `motia-workbench.json` in the project, as Motia 0.17 has it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MotiaError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json-values.ts';
import { formatIssues, toIssues } from '../../shared/steps/validation.ts';
import { writeIfChanged } from '../../shared/write-if-changed.ts';
import * as z from '../../shared/zod.ts';

const FILE = 'motia-workbench.json';

const side = z.enum(['bottom', 'right', 'left', 'top']);
const position = z.looseObject({
  x: z.number(),
  y: z.number(),
  sourceHandlePosition: z.optional(side),
  targetHandlePosition: z.optional(side),
});
/** By the path of the step's file in the project. */
const config = z.record(z.string(), position);
const file = z.array(z.looseObject({ id: z.string(), config }));
const body = z.object({ config });

export type FlowLayout = z.infer<typeof file>[number];

export class FlowLayouts {
  readonly #root: string;

  /** @param root of the project, absolute */
  constructor(root: string) {
    this.#root = root;
  }

  /** Read anew each time: people edit the file, and fetch it from elsewhere. @throws {MotiaError} `PROJECT_INVALID` */
  async read(): Promise<FlowLayout[]> {
    const text = await readFile(join(this.#root, FILE), 'utf8').catch(ifMissing);
    if (text.trim() === '') return [];
    const found = file.safeParse(parseJson(text));
    if (found.success) return found.data;
    const what = parseJson(text) === undefined ? 'it is not JSON' : formatIssues(toIssues(found.error));
    throw new MotiaError('PROJECT_INVALID', `${FILE} cannot be read, and is left as it is: ${what}`);
  }

  /**
   * Puts a flow's layout in place of the one it has.
   * @param layout `{ config }`
   * @throws {MotiaError} `INVALID_VALUE`, or `PROJECT_INVALID` for a file that would be lost.
   */
  async write(id: string, layout: unknown): Promise<void> {
    const valid = body.safeParse(layout);
    if (!valid.success) throw new MotiaError('INVALID_VALUE', formatIssues(toIssues(valid.error)));
    const layouts = await this.read();
    const before = layouts.find((one) => one.id === id);
    const all = [...layouts.filter((one) => one !== before), { ...before, id, config: valid.data.config }];
    writeIfChanged(this.#root, FILE, `${JSON.stringify(all, null, 2)}\n`);
  }
}

function ifMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw new MotiaError('PROJECT_INVALID', `${FILE} cannot be read: ${error.message}`);
}
