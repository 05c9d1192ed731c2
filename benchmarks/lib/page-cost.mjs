// What an open page of the Workbench costs: the work that it makes for the app, and what Chromium takes from the same cores, told apart by a client
// that asks for exactly what the page asks for. Processor time for as many requests hardly depends on what else the machine does.
import { cpuSeconds, processTree } from './processes.mjs';

/** Long enough for whatever the page asks for again and again: the longest time between is ten seconds. */
const RECORDED_MS = 11_000;
const SETTLED_MS = 1_500;
const IS_ASKED = /^\/(__motia\/api|health)\//;
const IS_FOLLOWED = /\/follow$/;

/** @typedef {{ followed: string[], asked: { path: string, at: number }[] }} PageRequests at: milliseconds after the first */

/**
 * What a page asks the gateway for while it is open, and what it goes on listening to.
 *
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<unknown>} open shows it
 * @returns {Promise<PageRequests>}
 */
export async function recordRequests(page, open) {
  const seen = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (IS_ASKED.test(pathname)) seen.push({ path: pathname + search, at: performance.now() });
  });
  await open();
  await page.waitForTimeout(SETTLED_MS);
  const from = performance.now();
  await page.waitForTimeout(RECORDED_MS);
  return {
    followed: seen.filter(({ path }) => IS_FOLLOWED.test(path)).map(({ path }) => path),
    asked: seen
      .filter(({ path, at }) => at >= from && !IS_FOLLOWED.test(path))
      .map(({ path, at }) => ({ path, at: at - from })),
  };
}

/**
 * Asks for the same without a page, again and again.
 *
 * @param {string} url of the gateway
 * @param {string} token
 * @param {PageRequests} requests
 * @returns {() => Promise<void>} ends it
 */
export function repeatRequests(url, token, { followed, asked }) {
  const ended = new AbortController();
  const headers = { authorization: `Bearer ${token}`, 'x-motia-request': '1' };
  const get = async (path) => {
    const { body } = await fetch(url + path, { headers, signal: ended.signal });
    for await (const _ of body ?? []);
  };
  const timers = asked.map(({ path, at }) => setTimeout(repeat, at, path));
  function repeat(path) {
    get(path).catch(() => {}); // ended
    timers.push(setTimeout(repeat, RECORDED_MS, path));
  }
  const follows = followed.map((path) => get(path).catch(() => {}));
  return async () => {
    for (const timer of timers) clearTimeout(timer);
    ended.abort();
    await Promise.all(follows);
  };
}

/** Processor time so far, in seconds: of each of the app's processes, and of Chromium. @param {Record<string, number>} pids */
export function cpuOf(pids) {
  const chromium = processTree(process.pid).filter(({ name }) => name.startsWith('chrom'));
  return {
    ...Object.fromEntries(Object.entries(pids).map(([role, pid]) => [role, cpuSeconds(pid)])),
    chromium: chromium.reduce((sum, one) => sum + one.cpuSeconds, 0),
  };
}
