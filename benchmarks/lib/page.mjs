// The Workbench in headless Chromium, as the benchmarks look at it.
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.mjs';

/**
 * @param {import('./processes.mjs').Scope} scope
 * @param {string} token of the admin API
 * @returns what opens a window; `undefined` where there is no Chromium
 */
export async function openBrowser(scope, token) {
  const executablePath = findChromium();
  if (!executablePath) return undefined;
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  scope.defer(() => browser.close());
  /** A window with nothing stored but the token. */
  return async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.addInitScript((value) => sessionStorage.setItem('motia-admin-token', value), token);
    return context.newPage();
  };
}

/**
 * Milliseconds from the request of the page until its first row can be clicked, with empty caches.
 *
 * @param {() => Promise<import('playwright-core').Page>} newPage
 * @param {string} url
 */
export async function timeToRows(newPage, url) {
  const page = await newPage();
  const began = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  // Looked for at each frame: a click that waits looks again after half a second.
  await page.waitForFunction(() => document.querySelector('[role="row"] a, tbody tr a'), undefined, { polling: 'raf' });
  await page.getByRole('row').nth(1).getByRole('link').click({ trial: true });
  const milliseconds = performance.now() - began;
  await page.context().close();
  return milliseconds;
}

/**
 * Loads a list to its end, and then scrolls through it.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} end what is written after the last row
 * @returns {Promise<{ rows: number, frames: number[] }>} frames: milliseconds of each
 */
export async function scrollFrames(page, end) {
  const table = page.getByRole('table');
  await table.waitFor();
  while (!(await page.getByText(end).isVisible())) {
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.waitForTimeout(50);
  }
  const rows = Number(await table.getAttribute('aria-rowcount')) - 1;
  const frames = await table.evaluate(async (element) => {
    const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
    element.scrollTo(0, 0);
    await next();
    const frames = [];
    const end = element.scrollHeight - element.clientHeight;
    let before = await next();
    // Some 500 rows in a second: as fast as a wheel is turned.
    for (let top = 0; top < end; top += 300) {
      element.scrollTo(0, top);
      const now = await next();
      frames.push(now - before);
      before = now;
    }
    return frames;
  });
  return { rows, frames };
}
