/** The screens of what an app has and does: logs, queues, states, streams, cron. One app serves all of them. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, type TestContext, test } from 'vitest';
import { errorsOf } from '../../helpers/browser.ts';
import { inspect, placeOrder, startWorkbench, type Workbench } from '../../helpers/workbench.ts';

let started: Promise<Workbench> | undefined;

/** The same for all tests, until one fails: then what it has left behind is not there for the next one. */
function workbench(context: TestContext): Promise<Workbench> {
  context.onTestFailed(() => {
    started = undefined;
  });
  started ??= startWorkbench(context);
  return started;
}

const JSON_ONE = { headers: { 'content-type': 'application/json' }, body: '1' };
const row = (page: Page, text: string | RegExp) => page.getByRole('row').filter({ hasText: text });
const panel = (page: Page) => page.getByTestId('sidebar-panel');
const fill = (page: Page, name: string, text: string) => page.getByRole('textbox', { name, exact: true }).fill(text);
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const confirm = (page: Page, action: string) =>
  page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();

test('logs: both languages, live, filtered, one behind a link, and as a file', async (context) => {
  const { cli, open } = await workbench(context);
  const traceId = await placeOrder(cli, 'piano');
  const other = await placeOrder(cli, 'chair');
  const page = await open('/logs');
  await row(page, 'PlaceOrder').first().waitFor();
  await row(page, 'CheckStock').first().waitFor();
  await row(page, /ShipOrder failed for good/).waitFor();

  // One trace: the funnel fills the search and opens nothing.
  await page.getByTestId(`trace-filter-${traceId}`).first().click();
  await row(page, other.slice(-8)).first().waitFor({ state: 'detached' });
  expect(await page.getByLabel('Search text or trace id').inputValue()).toBe(traceId);
  expect(await panel(page).count()).toBe(0);
  await page.getByRole('button', { name: 'Error', exact: true }).click();
  await row(page, 'PlaceOrder').first().waitFor({ state: 'detached' });
  await page.getByTestId('log-row').waitFor();

  // One record: its error, its stack, the source behind it, and a link that leads to it.
  await page.getByTestId('log-row').click();
  await panel(page).getByText('src/orders/ship-order.step.ts').waitFor();
  await inspect(page, 'logs-record');
  const link = page.url().replace(/\?.*$/, '?step=PlaceOrder');
  await panel(page)
    .getByRole('link', { name: /ship-order/ })
    .click();
  await panel(page).getByText('no truck carries a piano').waitFor();
  await page.goto(link);
  await panel(page)
    .getByText(/ShipOrder failed for good/)
    .waitFor();
  await page.keyboard.press('Escape');
  await panel(page).waitFor({ state: 'detached' });

  // What comes while it is paused waits.
  await press(page, 'Clear');
  await row(page, 'CheckStock').first().waitFor();
  await page.keyboard.press('p');
  await page.getByText('Paused', { exact: true }).waitFor();
  const later = await placeOrder(cli, 'lamp');
  const held = page.getByRole('button', { name: /^\d+ new records$/ });
  await held.waitFor();
  expect(await page.getByTestId(`trace-filter-${later}`).count()).toBe(0);
  await held.click();
  await page.getByTestId(`trace-filter-${later}`).first().waitFor();

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Export/ }).click();
  const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).traceId)).toEqual(expect.arrayContaining([traceId, other, later]));
  expect(errorsOf(page)).toEqual([]);
});

test('queues: why it waits, pause and resume, dead letters, and events with a delay', async (context) => {
  const { cli, open } = await workbench(context);
  const page = await open('/queues');
  const queue = page.getByTestId('queue-NotifyCustomer-order.shipped');
  await press(page, 'Pause NotifyCustomer, order.shipped');
  await queue.getByText('paused').first().waitFor();
  await placeOrder(cli, 'table');
  await queue.getByText('1', { exact: true }).waitFor();
  await queue.getByRole('link').click();
  await panel(page).getByText('Paused.').waitFor();
  await panel(page).getByText('1 for a worker').waitFor();
  await inspect(page, 'queues');
  await panel(page).getByRole('button', { name: 'Resume' }).click();
  await panel(page).getByText('0 for a worker').waitFor();

  // A dead letter has its payload, fails once more, and is thrown away.
  await placeOrder(cli, 'piano', { customer: 'eve' });
  await page.getByRole('tab', { name: /Dead letters/ }).click();
  await fill(page, 'Search error, step or event id', 'piano to eve');
  await row(page, 'piano to eve').getByRole('link').click();
  await panel(page).getByText('"eve"').waitFor();
  await inspect(page, 'queues-dead-letters');
  const id = page.url().match(/dead-letters\/(\d+)/)?.[1];
  await panel(page).getByRole('button', { name: 'Retry' }).click();
  await page.getByText('ShipOrder tries it again').waitFor();
  await page.getByTestId(`dead-letter-${id}`).waitFor({ state: 'detached' });
  await row(page, 'piano to eve').getByRole('link').click();
  await panel(page).getByRole('button', { name: 'Delete' }).click();
  await confirm(page, 'Delete it');
  await page.getByText('No dead letter fits').waitFor();

  // An event from the page, which waits until it is told to go.
  await page.getByRole('tab', { name: 'Subscriptions' }).click();
  await page.getByRole('link', { name: 'Emit an event' }).click();
  await page.getByLabel('Topic', { exact: true }).fill('order.shipped');
  await fill(page, 'Data', '{ "customer": "zoe" }');
  await page.getByLabel('Delay (s)').fill('600');
  await press(page, 'Emit');
  await panel(page).getByText('NotifyCustomer').waitFor();
  await page.getByRole('tab', { name: 'Scheduled' }).click();
  await page.getByTestId('scheduled-order.shipped').getByRole('link').click();
  await panel(page).getByText('"zoe"').waitFor();
  await panel(page).getByRole('button', { name: 'Run now' }).click();
  await cli.waitForLog({ msg: 'Mail sent', to: 'zoe' });
  await page.getByText('Nothing waits for its time').waitFor();
  expect(errorsOf(page)).toEqual([]);
});

test('states: groups, what a trace touched, and changes that do not overwrite those of others', async (context) => {
  const { cli, open } = await workbench(context);
  const traceId = await placeOrder(cli, 'sofa');
  const page = await open('/states');
  await page.getByTestId('group-stock').waitFor();
  await page.getByTestId('group-orders').getByRole('link').click();
  await page.getByRole('link', { name: 'Add', exact: true }).click();
  await fill(page, 'Key', 'a/b ü');
  await fill(page, 'Value', '{ "status": "new" }');
  await press(page, 'Add');
  await panel(page).getByText('"new"').waitFor();
  await inspect(page, 'states');

  // Somebody else changes it meanwhile.
  await page.getByRole('tab', { name: 'Edit' }).click();
  await fill(page, 'New value', '{ "status": ');
  await panel(page)
    .getByText(/This is not JSON/)
    .waitFor();
  await fill(page, 'New value', '{ "status": "mine" }');
  const path = `/__motia/api/v1/state/groups/orders/items/${encodeURIComponent('a/b ü')}`;
  const stored = async () => (await (await cli.fetch(path)).json()) as { value: unknown };
  await cli.fetch(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{ "status": "theirs" }',
  });
  await panel(page).getByText('Somebody has changed it').waitFor();
  expect(await page.getByTestId('state-save-button').isDisabled()).toBe(true);
  expect((await stored()).value).toEqual({ status: 'theirs' });
  await press(page, 'Replace it by mine');
  await page.getByText('Saved', { exact: true }).waitFor();
  expect((await stored()).value).toEqual({ status: 'mine' });
  await press(page, 'Delete');
  await confirm(page, 'Delete a/b ü');
  await page.getByText('a/b ü is gone').waitFor();
  expect((await cli.fetch(path)).status).toBe(404);

  // A group is gone as a whole, once that was confirmed.
  for (const key of ['one', 'two'])
    await cli.fetch(`/__motia/api/v1/state/groups/drafts/items/${key}`, { method: 'PUT', ...JSON_ONE });
  await page.getByTestId('group-drafts').getByRole('link').click();
  await press(page, 'Clear the group drafts');
  await confirm(page, 'Cancel');
  await page.getByTestId('key-two').waitFor();
  await press(page, 'Clear the group drafts');
  await inspect(page, 'states-clear');
  await confirm(page, 'Clear drafts');
  await page.getByTestId('group-drafts').waitFor({ state: 'detached' });
  expect((await (await cli.fetch('/__motia/api/v1/state/groups/drafts/items')).json()) as object).toEqual({
    items: [],
  });

  // What one trace has touched, in steps of both languages.
  await fill(page, 'Search groups, or a trace id', traceId);
  await row(page, 'stock').filter({ hasText: 'set' }).waitFor();
  await row(page, 'orders').filter({ hasText: 'update' }).getByRole('link').first().click();
  await panel(page).getByText('"ada"').waitFor();
  expect(errorsOf(page)).toEqual([]);
});

test('streams: items as clients see them, live, and what is sent to them', async (context) => {
  const { cli, open } = await workbench(context);
  await cli.fetch('/imports', { method: 'POST' });
  const page = await open('/streams');
  await page.getByRole('link', { name: /progress/ }).click();
  await page.getByText('Schema of an item').waitFor();
  await page.getByRole('link', { name: 'imports' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await row(page, '{"done":3,"of":3}').waitFor();

  // A Python step changes an item of a Node step, and the page hears of each change.
  await cli.fetch('/imports', { method: 'POST' });
  await row(page, '{"done":3,"of":3}').nth(1).waitFor();
  await page.getByRole('link', { name: 'Send' }).click();
  await fill(page, 'Type', 'typing');
  await fill(page, 'Data', '{ "by": "ann" }');
  await press(page, 'Send');
  await page.getByText('typing was sent to imports').waitFor();
  await page.getByRole('tab', { name: /What happens/ }).click();
  await page.getByText('{"by":"ann"}').waitFor();
  expect(await page.getByText('create', { exact: true }).count()).toBe(1);
  expect(await page.getByText('update', { exact: true }).count()).toBe(3);
  await inspect(page, 'streams-happenings');

  await page.getByRole('tab', { name: /Items/ }).click();
  await page.getByRole('link', { name: 'Add', exact: true }).click();
  await fill(page, 'Id', 'mine');
  await fill(page, 'Item', '{ "done": 1, "of": 9 }');
  await press(page, 'Add');
  await page.getByTestId('item-mine').getByText('{"done":1,"of":9}').waitFor();
  await page.getByRole('tab', { name: 'Edit' }).click();
  await fill(page, 'New value', '{ "done": 2, "of": 9 }');
  await press(page, 'Save');
  await page.getByTestId('item-mine').getByText('{"done":2,"of":9}').waitFor();
  await inspect(page, 'streams');
  await press(page, 'Delete');
  await confirm(page, 'Delete the item');
  await page.getByTestId('item-mine').waitFor({ state: 'detached' });
  expect(errorsOf(page)).toEqual([]);
});

test('cron: a run at once, its outcome and trace, and a pause', async (context) => {
  const { cli, open } = await workbench(context);
  const page = await open('/cron');
  const step = page.getByTestId('cron-NightlyReport');
  await step.getByText('At 03:00').waitFor();
  await press(page, 'Run NightlyReport now');
  await page.getByText('NightlyReport runs now').waitFor();
  await cli.waitForLog({ step: 'NightlyReport', msg: 'Report made' });
  await step.getByText('succeeded').waitFor();
  await step.getByRole('link').click();
  await panel(page).getByText('run by hand').waitFor();
  await panel(page)
    .getByRole('link', { name: /completed/ })
    .first()
    .waitFor();
  await panel(page).getByRole('button', { name: 'Pause' }).click();
  await panel(page)
    .getByText(/not before it is resumed/)
    .waitFor();
  await inspect(page, 'cron');
  await panel(page).getByRole('button', { name: 'Resume' }).click();
  await panel(page)
    .getByText(/not before it is resumed/)
    .waitFor({ state: 'detached' });
  await panel(page)
    .getByRole('link', { name: /completed/ })
    .first()
    .click();
  await page.getByTestId('trace-details').waitFor();
  expect(errorsOf(page)).toEqual([]);
});
