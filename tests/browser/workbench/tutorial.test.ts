/** What end-to-end tests and tutorials of Motia 0.17 projects look for in the page, by their names for it. */
import { expect, test } from 'vitest';
import { errorsOf, openPage } from '../../helpers/browser.ts';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { inspect } from '../../helpers/workbench.ts';

const TRIGGER = `
import { z } from 'zod';
export const config = {
  type: 'api', name: 'ApiTrigger', method: 'POST', path: '/basic-tutorial', flows: ['basic-tutorial'], emits: [],
  bodySchema: z.object({ name: z.string() }),
};
export const handler = async (req, { logger, traceId }) => {
  logger.info('Step 01 – Processing API Step', { body: req.body });
  return { status: 200, body: { traceId } };
};`;
const TUTORIAL = `
import { type TutorialStep, workbenchXPath as at } from '@motiadev/workbench';
export const steps: TutorialStep[] = [
  { title: 'Welcome', description: () => <p>What this is <b>about</b></p>, image: { src: 'https://example.com/a.png', height: 9 } },
  { title: 'The step', description: () => <p>It waits</p>, elementXpath: at.flows.node('apitrigger'), link: 'https://example.com/more' },
  {
    title: 'The body', description: () => <p>Filled</p>, elementXpath: at.endpoints.playButton,
    before: [
      { type: 'click', selector: at.closePanelButton, optional: true },
      { type: 'click', selector: at.links.endpoints },
      { type: 'click', selector: at.endpoints.endpoint('POST', '/basic-tutorial') },
      { type: 'click', selector: at.endpoints.callTab },
      { type: 'fill-editor', content: { name: 'Jack' } },
    ],
  },
  {
    title: 'The answer', description: () => <p>Here</p>, elementXpath: at.endpoints.response,
    before: [{ type: 'click', selector: at.endpoints.playButton }],
  },
  {
    title: 'The trace', description: () => <p>Done</p>, elementXpath: at.tracing.timeline(1),
    before: [
      { type: 'click', selector: at.links.tracing },
      { type: 'click', selector: at.tracing.trace(1) },
    ],
  },
];`;

test('a tutorial opens once, leads through the page, and opens again by its button', async (context) => {
  const project = await createProject({
    files: { 'src/api.step.ts': TRIGGER, 'tutorial/tutorial.tsx': TUTORIAL, 'package.json': '{"type":"module"}' },
  });
  const cli = await startCli('dev', project);
  const page = await openPage(context, `${cli.url}/`);
  const title = page.locator('.driver-popover .popover-title');
  const next = page.locator('.driver-popover-next-btn');
  const isAt = (text: string) => title.filter({ hasText: text }).waitFor();
  await isAt('Welcome');
  await inspect(page, 'tutorial');
  await page.locator('.tutorial-opt-out-button').click();
  await title.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByTestId('tutorial-trigger').waitFor();
  expect(await title.count()).toBe(0);

  await page.getByTestId('tutorial-trigger').click();
  await isAt('Welcome');
  await next.click();
  await isAt('The step');
  await inspect(page, 'tutorial-step');
  await next.click();
  await isAt('The body');
  await page.getByTestId('json-editor').getByText('"Jack"').waitFor();
  await next.click();
  await isAt('The answer');
  await page.getByTestId('endpoint-response-container').getByText('200').waitFor();
  await next.click();
  await isAt('The trace');
  await page.getByTestId('trace-details').getByText('ApiTrigger').first().waitFor();
  await next.click();
  await title.waitFor({ state: 'detached' });

  const id = (await page.getByTestId('trace-id').textContent()) ?? '';
  await page.getByTestId('tracing-link').click();
  const trace = page.locator('.motia-trace-group').and(page.getByTestId(`trace-${id}`));
  await trace.filter({ hasText: id }).filter({ hasText: 'ApiTrigger' }).waitFor();
  await page.getByTestId('flows-link').click();
  await page.getByTestId('flows-dropdown-trigger').click();
  await page.locator('.flows-dropdown .flow-link').filter({ hasText: 'basic-tutorial' }).click();
  expect(errorsOf(page)).toEqual([]);
});
