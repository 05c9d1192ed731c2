/** The Workbench of a deployment: nothing is seen without the token, and the token stays in its tab. */
import { expect, test } from 'vitest';
import { openPage } from '../../helpers/browser.ts';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { inspect } from '../../helpers/workbench.ts';

const TOKEN = 'a-long-enough-token';
const HELLO = `
export const config = { type: 'api', name: 'Hello', method: 'GET', path: '/hello', flows: ['greetings'], emits: [] };
export const handler = async () => ({ status: 200, body: 'hello' });`;

test('a deployment shows itself to who has its token', async (context) => {
  const project = await createProject({ files: { 'src/hello.step.js': HELLO } });
  const cli = await startCli('start', project, { env: { MOTIA_ADMIN_TOKEN: TOKEN, MOTIA_WORKBENCH: 'on' } });
  const page = await openPage(context, `${cli.url}/__motia/ui/flows/greetings`);
  await page.getByRole('form', { name: 'Sign in' }).waitFor();
  expect(await page.getByText('Hello').count()).toBe(0);
  await inspect(page, 'login');

  await page.getByLabel('Token').fill('a-wrong-token');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the token of this app.').waitFor();
  await page.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByTestId('node-hello').waitFor(); // where the link led, without asking again
  expect(JSON.stringify(await page.context().storageState())).not.toContain(TOKEN); // cookies, and what outlives the tab

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('form', { name: 'Sign in' }).waitFor();
  await page.reload();
  await page.getByRole('form', { name: 'Sign in' }).waitFor();
});
