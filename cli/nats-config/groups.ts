/** Groups of workers, each a user of its own: as `--group name=flows:billing,topics:order.paid` names them, or one for each language. */
import { ROLES, type WorkerGroup } from '../../shared/access/roles.ts';
import { type AppPart, WHOLE_APP } from '../../shared/steps/app-part.ts';
import type { StepEntry } from '../../shared/steps/manifest.ts';
import { CliError, EXIT } from '../cli-error.ts';

const KINDS = ['steps', 'topics', 'flows'] as const;

/** All steps of a language, by the command that runs its workers. */
export function languageGroups(steps: readonly StepEntry[]): Map<string, WorkerGroup> {
  const groups = new Map<string, WorkerGroup>([['worker', { ...WHOLE_APP, language: 'node' }]]);
  if (steps.some(({ language }) => language === 'python'))
    groups.set('python-worker', { ...WHOLE_APP, language: 'python' });
  return groups;
}

/** By name. @throws CliError for what cannot be read. */
export function workerGroups(texts: readonly string[]): Map<string, WorkerGroup> {
  const groups = new Map<string, WorkerGroup>();
  for (const text of texts) {
    const [, name = '', parts = ''] = /^([a-z][a-z0-9-]*)=(.+)$/.exec(text) ?? [];
    if (name === '' || ROLES.includes(name) || groups.has(name)) throw wrong(text);
    groups.set(name, partOf(text, parts));
  }
  return groups;
}

function partOf(text: string, parts: string): AppPart {
  const part = { steps: [] as string[], topics: [] as string[], flows: [] as string[] };
  let into: string[] | undefined;
  for (const one of parts.split(',').map((piece) => piece.trim())) {
    const kind = KINDS.find((each) => one.startsWith(`${each}:`));
    if (kind) into = part[kind];
    const name = kind ? one.slice(kind.length + 1) : one;
    if (into === undefined || name === '') throw wrong(text);
    into.push(name);
  }
  return part;
}

const wrong = (text: string) =>
  new CliError(
    `--group ${text} cannot be read: it is a name of its own and what its workers take, as mail=topics:mail.asked,mail.failed or shop=flows:shop,steps:Audit`,
    EXIT.usage,
  );
