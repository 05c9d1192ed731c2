/** `motia generate step`: a new step, as a file to go on from. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { validateConfig } from '../../shared/steps/config-schema.ts';
import { formatIssues } from '../../shared/steps/validation.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { plannedConfig, type StepPlan, stepFileName, stepText } from '../generate/step-file.ts';
import type { Flags } from '../options.ts';
import { asks } from '../terminal.ts';

export async function generateStep(flags: Flags): Promise<number> {
  const root = process.cwd();
  const plan = await planOf(flags, root);
  const wrong = whatIsWrong(plan);
  if (wrong !== undefined) throw new CliError(wrong, EXIT.usage);
  const file = posix.join(folderOf(flags.dir, root), stepFileName(plan));
  const path = join(root, file);
  if (existsSync(path)) throw new CliError(`${file} is there already: nothing was written`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, stepText(plan));
  console.log(`Wrote ${file}`);
  return 0;
}

/** Questions are asked where a person can answer them, and what makes a step is not all said. */
async function planOf(flags: Flags, root: string): Promise<StepPlan> {
  const { name, type, language, description, method, path, cron, subscribes, emits, flows } = flags;
  const given = {
    name,
    type,
    language,
    description,
    method: method?.toUpperCase(),
    path,
    cron,
    subscribes,
    emits,
    flows,
  };
  const usual = existsSync(join(root, 'tsconfig.json')) ? 'typescript' : 'javascript';
  const isComplete = name !== undefined && type !== undefined;
  if (asks(flags.interactive) && (flags.interactive || !isComplete)) {
    return (await import('../generate/ask-step.ts')).askStep(given, { language: usual });
  }
  if (!isComplete)
    throw new CliError('Which step? motia generate step --name <name> --type <api, event, cron or noop>', EXIT.usage);
  return {
    ...given,
    ...{ name, type, language: language ?? usual, method: given.method ?? 'GET' },
    ...{ subscribes: subscribes ?? [], emits: emits ?? [], flows: flows ?? [] },
  };
}

function whatIsWrong(plan: StepPlan): string | undefined {
  if (plan.type === 'api' && !plan.path?.startsWith('/')) return 'An API step needs --path, which begins with /';
  if (plan.type === 'event' && plan.subscribes.length === 0) return 'An event step needs --subscribes';
  if (plan.type === 'cron' && plan.cron === undefined) return 'A cron step needs --cron';
  const valid = validateConfig({ ...plannedConfig(plan) });
  return valid.ok ? undefined : formatIssues(valid.issues);
}

/** As seen from the folder of the steps. */
function folderOf(dir: string | undefined, root: string): string {
  const steps = !existsSync(join(root, 'src')) && existsSync(join(root, 'steps')) ? 'steps' : 'src';
  const folder = posix.join(steps, (dir ?? '').replaceAll('\\', '/').replace(/^(\.\/)?(src|steps)(\/|$)/, ''));
  if (folder !== steps && !folder.startsWith(`${steps}/`))
    throw new CliError(`--dir leads out of ${steps}/`, EXIT.usage);
  return folder.replace(/\/$/, '');
}
