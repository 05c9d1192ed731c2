/** What is around every screen of the Workbench. */
import { test } from 'vitest';
import { inspect, placeOrder, startWorkbench } from '../../helpers/workbench.ts';

test('the shell leads everywhere, by links, by keys and by the palette', async (context) => {
  const { cli, open } = await startWorkbench(context);
  await placeOrder(cli, 'chair');
  const page = await open('/');
  await page.getByTestId('logo-icon').waitFor();
  await page.getByText('Ready', { exact: true }).waitFor();
  await inspect(page, 'shell');
});
