/** What `motia create` asks a person. */
import { select, text } from '@clack/prompts';
import { CliError } from '../cli-error.ts';
import { DEFAULT_TEMPLATE, TEMPLATES } from './templates.ts';

export async function askTemplate(): Promise<string> {
  return answered(
    await select({
      message: 'Which template?',
      initialValue: DEFAULT_TEMPLATE,
      options: TEMPLATES.map(({ name, description }) => ({ value: name, label: name, hint: description })),
    }),
  );
}

export async function askName(check: (name: string) => string | undefined): Promise<string> {
  const name = await text({
    message: 'Name of the project? (Nothing: this folder)',
    placeholder: 'my-app',
    defaultValue: '.',
    validate: (given = '') => (given === '' ? undefined : check(given)),
  });
  return answered(name);
}

/** @throws CliError when the question was cancelled. */
function answered(answer: string | symbol): string {
  if (typeof answer === 'symbol') throw new CliError('Nothing was created.');
  return answer;
}
