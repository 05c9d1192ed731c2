/** What `motia generate step` does not take. */
import { expect, test } from 'vitest';
import { generateStep } from '../../../cli/commands/generate-step.ts';
import { stepFileName } from '../../../cli/generate/step-file.ts';
import type { Flags } from '../../../cli/options.ts';

test.each<[Flags, string]>([
  [{}, 'Which step? motia generate step --name <name> --type <api, event, cron or noop>'],
  [{ name: 'A', type: 'api' }, 'An API step needs --path, which begins with /'],
  [{ name: 'A', type: 'api', path: '/a', method: 'FETCH' }, 'method: Expected one of GET'],
  [{ name: 'A', type: 'event' }, 'An event step needs --subscribes'],
  [{ name: 'A', type: 'cron' }, 'A cron step needs --cron'],
  [{ name: 'A', type: 'cron', cron: '99 * * * *' }, 'cron: '],
  [{ name: 'A', type: 'noop', dir: '../..' }, '--dir leads out of src/'],
  [{ interactive: true }, '--interactive needs a terminal'],
])('%j', async (flags, message) => {
  await expect(generateStep(flags)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
});

test.each([
  ['CreateOrder', 'create-order.step.ts', 'create_order_step.py'],
  ['send  HTTP/2 mail!', 'send-http-2-mail.step.ts', 'send_http_2_mail_step.py'],
  ['Zürich', 'zürich.step.ts', 'zürich_step.py'],
])('the files of %s', (name, typescript, python) => {
  expect(stepFileName({ name, language: 'typescript' })).toBe(typescript);
  expect(stepFileName({ name, language: 'python' })).toBe(python);
});
