/** The Workbench of a real `motia dev`, in a real browser. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, type TestContext } from 'vitest';
import { openPage } from './browser.ts';
import { type RunningCli, startCli } from './cli.ts';
import { createProject, fixtureApp, type Project, REPOSITORY } from './project.ts';
import { pythonEnvironment } from './python.ts';

export interface Workbench {
  project: Project;
  cli: RunningCli;
  /** Opens a path of the page, `/traces?status=failed` for example, in a window of its own. */
  open(path: string): Promise<Page>;
}

let started: Promise<Omit<Workbench, 'open'>> | undefined;

/** Serves the fixture `orders`, which has steps in both languages: once for a test file. Skips the test without a Python or a Chromium. */
export async function startWorkbench(context: TestContext): Promise<Workbench> {
  const python = await pythonEnvironment(context);
  started ??= start(python);
  const { project, cli } = await started;
  return { project, cli, open: (path) => openPage(context, `${cli.url}/__motia/ui${path}`) };
}

async function start(env: Record<string, string>): Promise<Omit<Workbench, 'open'>> {
  const project = await createProject({ copyOf: fixtureApp('workbench') });
  return { project, cli: await startCli('dev', project, { env }) };
}

/** Places an order, and gives the id of its trace. */
export async function placeOrder(
  cli: RunningCli,
  sku: string,
  { quantity = 1, customer = 'ada' } = {},
): Promise<string> {
  const response = await cli.fetch(`/orders/${customer}?coupon=SPRING`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ items: [{ sku, quantity }], express: false }),
  });
  return ((await response.json()) as { traceId: string }).traceId;
}

/** What axe looks for in each theme. Only colours differ. */
const RULES = { light: undefined, dark: ['color-contrast'] } as const;
const SCREENSHOTS = join(REPOSITORY, 'tests/browser/screenshots');

/**
 * Writes a picture of the page in both themes, for people to look at, and has axe look at it as well.
 *
 * @param name of the files.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.locator(`html[data-theme=${theme}]`).waitFor();
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${theme}.png`) });
    expect(await violations(page, RULES[theme]), `${name}, ${theme}`).toEqual([]);
  }
}

/** What axe finds wrong: rule, and what it says about each place. */
async function violations(page: Page, rules: readonly string[] | undefined): Promise<string[]> {
  // In a function of its own, since the page's policy forbids script elements.
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    (runOnly) => (globalThis as unknown as { axe: typeof axe }).axe.run(runOnly ? { runOnly: [...runOnly] } : {}),
    rules,
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}
