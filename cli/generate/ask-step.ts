/** What `motia generate step` asks a person, about what no flag has said. */
import type { Readable, Writable } from 'node:stream';
import { select, text } from '@clack/prompts';
import { toNames } from '../../shared/config.ts';
import { explainCron } from '../../shared/steps/cron-expression.ts';
import { CliError } from '../cli-error.ts';
import { LANGUAGES, METHODS, STEP_TYPES, type StepPlan } from './step-file.ts';

/** Where it is asked; default: the terminal. */
export interface Terminal {
  input?: Readable;
  output?: Writable;
}

const KINDS: Record<StepPlan['type'], string> = {
  api: 'answers HTTP requests',
  event: 'handles events',
  cron: 'runs on a schedule',
  noop: 'a place in the diagram',
};

export async function askStep(
  given: Partial<StepPlan>,
  usual: Pick<StepPlan, 'language'>,
  terminal: Terminal = {},
): Promise<StepPlan> {
  const one = async (message: string, placeholder: string, validate?: (value: string) => string | undefined) =>
    answered(
      await text({ message, placeholder, ...terminal, ...(validate && { validate: (value = '') => validate(value) }) }),
    ) ?? '';
  const names = async (message: string, placeholder: string, isNeeded = false) =>
    toNames(
      await one(message, placeholder, (list) => (isNeeded && toNames(list).length === 0 ? 'One at least' : undefined)),
    );
  const choose = async <Value extends string>(message: string, initialValue: Value, values: readonly Value[]) => {
    const hints: Record<string, string> = KINDS;
    const options = values.map((value) => ({ value, label: value, ...(hints[value] && { hint: hints[value] }) }));
    return answered(await select<string>({ message, initialValue, options, ...terminal })) as Value;
  };

  const name =
    given.name ?? (await one('Name of the step?', 'CreateOrder', (name) => (name ? undefined : 'A name, please')));
  const type = given.type ?? (await choose('What kind of step?', 'api', STEP_TYPES));
  const language = given.language ?? (await choose('In which language?', usual.language, LANGUAGES));
  const plan: StepPlan = { ...given, name, type, language, flows: [], emits: [], subscribes: [] };
  if (type === 'api') {
    plan.method ??= await choose('Method?', 'GET', METHODS);
    plan.path ??= await one('Path?', '/orders/:id', (path) => (path.startsWith('/') ? undefined : 'It begins with /'));
  }
  if (type === 'event' || type === 'noop') {
    const isNeeded = type === 'event';
    plan.subscribes = given.subscribes ?? (await names('Topics it handles? (with commas)', 'order.created', isNeeded));
  }
  if (type === 'cron') plan.cron ??= await one('When? (a cron expression)', '0 9 * * 1-5', explainCron);
  plan.emits = given.emits ?? (await names('Topics it emits? (with commas, or nothing)', 'order.paid'));
  plan.flows = given.flows ?? (await names('Flows it belongs to? (with commas, or nothing)', 'orders'));
  plan.description ??= await one('What does it do? (or nothing)', 'Takes an order');
  return plan;
}

/** @throws CliError when the question was cancelled. */
function answered(answer: string | symbol | undefined): string | undefined {
  if (typeof answer === 'symbol') throw new CliError('Nothing was written.');
  return answer;
}
