/** The shell of the Workbench, its flows, endpoints and traces, on a project in both languages. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { errorsOf } from '../../helpers/browser.ts';
import { eventually } from '../../helpers/wait-for.ts';
import { inspect, placeOrder, startWorkbench } from '../../helpers/workbench.ts';

/** @param wanted path and query within the Workbench. */
const isAt = (page: Page, wanted: string | RegExp) =>
  eventually(() => {
    const { pathname, search } = new URL(page.url());
    const at = pathname.replace('/__motia/ui', '') + search;
    return typeof wanted === 'string' ? at === wanted : wanted.test(at);
  }, `the page at ${wanted}`);

test('the shell leads everywhere, by links, by keys and by the palette', async (context) => {
  const { open } = await startWorkbench(context);
  const page = await open('/');
  await isAt(page, /^\/flows\//);
  await page.getByText('orders-project').waitFor();
  await page.getByText('Ready', { exact: true }).waitFor();
  await page.getByTestId('tracing-link').click();
  await isAt(page, '/traces');
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await isAt(page, '/endpoints');

  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('place');
  await page.getByRole('option', { name: /traces of the api step/ }).waitFor();
  await inspect(page, 'palette');
  await page.keyboard.press('Enter');
  await isAt(page, /PlaceOrder/);

  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('Go to Flows').waitFor();
  await page.keyboard.press('Escape');

  await page.getByTestId('theme-toggle').click();
  await page.getByTestId('theme-toggle').click();
  await page.reload();
  await page.locator('html[data-theme=dark]').waitFor();
  expect(errorsOf(page)).toEqual([]);

  const lost = await open('/nowhere');
  await lost.getByRole('heading', { name: 'There is no such screen' }).waitFor();
});

test('flows: a graph of steps and topics that lives, keeps its places and shows sources', async (context) => {
  const { project, cli, open } = await startWorkbench(context);
  const page = await open('/flows');
  await page.getByTestId('flows-dropdown-trigger').click();
  await page.getByTestId('dropdown-orders').click();
  await isAt(page, '/flows/orders');
  for (const name of ['placeorder', 'checkstock', 'shiporder', 'notifycustomer', 'approveorder', 'getorder'])
    await page.getByTestId(`node-${name}`).waitFor();
  for (const topic of ['order.placed', 'over the limit', 'approved'])
    await page.getByText(topic, { exact: true }).waitFor();

  await placeOrder(cli, 'unicorn');
  const failing = page.getByTestId('node-checkstock').getByTestId('node-failed');
  await failing.waitFor();
  await inspect(page, 'flows');

  const node = page.getByTestId('node-getorder');
  const from = await node.boundingBox();
  await page.mouse.move((from?.x ?? 0) + 60, (from?.y ?? 0) + 12);
  await page.mouse.down();
  await page.mouse.move((from?.x ?? 0) + 160, (from?.y ?? 0) - 60, { steps: 4 });
  await page.mouse.up();
  const placed = await eventually(async () => {
    const [{ config }] = JSON.parse(await project.read('motia-workbench.json'));
    return config['src/orders/get-order.step.ts'];
  }, 'the place in motia-workbench.json');
  const moved = await node.boundingBox();
  await project.write(
    'motia-workbench.json',
    JSON.stringify([{ id: 'orders', config: { 'src/orders/get-order.step.ts': { ...placed, y: placed.y + 300 } } }]),
  );
  await eventually(async () => ((await node.boundingBox())?.y ?? 0) > (moved?.y ?? 0) + 50, 'the edit of the file');

  await page.getByTestId('open-code-preview-button-checkstock').click();
  const panel = page.getByTestId('sidebar-panel');
  await panel.getByText('Looks whether there is enough').first().waitFor();
  await panel.getByText('src/orders/check_stock_step.py').waitFor();
  await inspect(page, 'flows-source');
  await panel.getByRole('tab', { name: 'Step' }).click();
  await panel.getByRole('link', { name: 'Traces' }).click();
  await isAt(page, '/traces?step=CheckStock');
  expect(errorsOf(page)).toEqual([]);
});

test('endpoints: a request is put together, sent and kept; streams and items of streams stay live', async (context) => {
  const { open } = await startWorkbench(context);
  const page = await open('/endpoints');
  await page.getByTestId('flow-group-orders').getByTestId('endpoint-POST-/orders/:customer').click();
  await page.getByTestId('endpoint-details-panel').getByText('Takes an order').waitFor();
  const editor = page.getByTestId('json-editor').getByRole('textbox');
  await editor.waitFor();
  expect(await editor.textContent()).toContain('"sku": "chair"');

  await editor.fill('{"items": [{"sku": "chair", "quantity": 0}]}');
  const problems = page.getByTestId('endpoint-body-tab-invalid');
  await problems.getByText(/items\.0\.quantity/).waitFor();
  expect(await page.getByTestId('endpoint-play-button').isEnabled()).toBe(true);
  await editor.fill('{"items": [{"sku": "chair", "quantity": 2}], "express": true}');
  await problems.waitFor({ state: 'detached' });

  await page.getByTestId('endpoint-params-tab').click();
  await page.getByLabel('customer').fill('ada & bob');
  await page.getByLabel('Value of coupon').fill('SPRING');
  await page.keyboard.press('Control+Enter');
  const answer = page.getByTestId('endpoint-response-container');
  await answer.getByText('202 Accepted').waitFor();
  await answer.getByText('orderId').waitFor();
  const trace = answer.getByRole('link', { name: 'Trace' });
  await trace.waitFor({ timeout: 30_000 });
  await page.getByTestId('endpoint-spec-button').click();
  await inspect(page, 'endpoints');
  await page.reload(); // what was typed is still there
  await page.getByTestId('endpoint-params-tab').click();
  expect(await page.getByLabel('customer').inputValue()).toBe('ada & bob');
  await page.getByRole('button', { name: 'History' }).click();
  await page.getByTestId('sidebar-panel').getByText('SPRING').waitFor();

  await page.getByTestId('endpoint-GET-/count').click();
  await page.getByRole('button', { name: 'Send' }).click();
  await answer.getByText('streaming').waitFor();
  await answer.getByText('number 3').waitFor();
  await page.getByTestId('endpoint-POST-/imports').click();
  await page.getByTestId('endpoint-play-button').click();
  await page.getByTestId('endpoint-live-item').getByText('done: 3').waitFor();
  await inspect(page, 'endpoints-live');

  await page.getByTestId('endpoint-POST-/files').click();
  await page.getByTestId('endpoint-body-tab').click();
  await page.getByRole('button', { name: 'Form' }).click();
  await page.getByLabel('Name of new field').fill('report');
  await page
    .getByLabel('File for report')
    .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('abc') });
  await page.getByTestId('endpoint-play-button').click();
  await answer.getByText(/name=.*report.*abc/).waitFor();
  await answer.getByText(/multipart\/form-data/).waitFor();
  expect(errorsOf(page)).toEqual([]);
});

test('traces: filtered by what failed, as a time line over both languages, down to the line of the source', async (context) => {
  const { cli, open } = await startWorkbench(context);
  const good = await placeOrder(cli, 'chair');
  const bad = await placeOrder(cli, 'piano');
  const page = await open('/traces');
  await page.getByTestId(`trace-${good}`).waitFor();
  await page.getByRole('button', { name: 'Failed' }).click();
  await isAt(page, '/traces?status=failed');
  await page.getByTestId(`trace-${bad}`).getByText('no truck carries a piano').waitFor();
  await page.getByTestId(`trace-${good}`).waitFor({ state: 'detached' });
  await inspect(page, 'traces');

  await page.getByTestId(`trace-${bad}`).getByRole('link').click();
  await isAt(page, `/traces/${bad}?status=failed`);
  const detail = page.getByTestId('trace-details');
  expect(await detail.getByTestId('trace-id').textContent()).toBe(bad);
  const failed = detail.getByTestId('trace-timeline-item').filter({ hasText: 'attempt 2' });
  await failed.getByText('ShipOrder').waitFor();
  await detail.getByTestId('trace-timeline-item').filter({ hasText: 'CheckStock' }).getByText('Py').waitFor();
  await inspect(page, 'trace');
  await detail.getByRole('tab', { name: /Log/ }).click();
  await detail.getByText('Stock checked').click();
  await detail.getByText('missing').waitFor();
  await detail.getByRole('tab', { name: 'Time line' }).click();

  await detail.getByRole('link', { name: 'POST /orders/:customer' }).click();
  const panel = page.getByTestId('sidebar-panel');
  await panel.getByText('POST /orders/ada?coupon=SPRING').waitFor();
  await panel.getByText('"piano"').waitFor();
  await failed.getByRole('link', { name: 'ShipOrder' }).click();
  await panel.getByText('no truck carries a piano to ada').first().waitFor();
  await inspect(page, 'trace-span');
  await panel.getByRole('link', { name: /ship-order\.step\.ts/ }).click();
  await panel.locator('.cm-set-off').getByText('no truck carries a piano').waitFor();
  for (let n = 0; n < 3; n++) await page.keyboard.press('Escape');
  await isAt(page, '/traces?status=failed');

  await page.goBack();
  await detail.getByRole('link', { name: 'POST /orders/:customer' }).click();
  await panel.getByRole('button', { name: 'Replay' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
  await isAt(page, new RegExp(`^/traces/(?!${bad})`));
  await detail.getByTestId('trace-timeline-item').filter({ hasText: 'attempt 2' }).waitFor();
  await detail.getByRole('link', { name: 'POST /orders/:customer' }).click();
  await panel.getByRole('link', { name: bad }).waitFor();
  expect(errorsOf(page)).toEqual([]);
});
