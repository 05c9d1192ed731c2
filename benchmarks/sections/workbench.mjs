// How smoothly the Workbench scrolls through what an app has done: 10,000 records of the log, 5,000 traces.
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.mjs';
import { startBroker } from '../lib/broker.mjs';
import { createProject, startMotia } from '../lib/motia.mjs';
import { atMost } from '../lib/report.mjs';
import { median, percentiles, round } from '../lib/stats.mjs';

const TITLE = 'Workbench: frames while it scrolls';
/** Each is a trace, and two records of the log. */
const REQUESTS = 5_000;
/** The first 100 traces of a second are stored. */
const AT_ONCE = 20;
const EVERY_MS = 250;
const LISTS = [
  { path: 'logs', label: 'Log', rows: 2 * REQUESTS },
  { path: 'traces', label: 'Traces', rows: REQUESTS },
];
/** As fast as somebody turns a wheel without looking. */
const PIXELS_PER_FRAME = 600;
const TARGET_MS = 50;
const TOKEN = 'bench';

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number }} options */
export async function workbench(scope, { rounds }) {
  const executablePath = findChromium();
  if (!executablePath) {
    return { title: TITLE, tables: [], checks: [], notes: ['**NOT MEASURED**: there is no Chromium.'] };
  }
  const broker = await startBroker(scope);
  const project = createProject(scope, 'workbench-app');
  const env = { MOTIA_WORKBENCH: 'on', MOTIA_ADMIN_TOKEN: TOKEN, LOG_LEVEL: 'info' };
  const { url } = await startMotia(scope, { natsUrl: broker.url, project, env });
  for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) {
    const pause = sleep(EVERY_MS);
    await Promise.all(Array.from({ length: AT_ONCE }, () => fetch(`${url}/hello`)));
    await pause;
  }
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const measured = [];
    for (const list of LISTS) {
      const page = await browser.newPage();
      await page.addInitScript((token) => sessionStorage.setItem('motia-admin-token', token), TOKEN);
      await page.goto(`${url}/__motia/ui/${list.path}`);
      const rows = await loadAll(page, list);
      for (let number = 1; number <= rounds; number++) {
        const { p50, p95, p99 } = percentiles(await scrollThrough(page, list.label));
        measured.push({ round: number, list: list.label, rows, p50, p95, p99 });
      }
      await page.close();
    }
    return report(measured);
  } finally {
    await browser.close();
  }
}

/** Scrolls to the end until all rows are there. @returns how many there are. */
async function loadAll(page, { label, rows }) {
  const table = page.getByRole('table', { name: label, exact: true });
  await table.waitFor();
  for (let there = 0; ; ) {
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    if (there >= rows) return there;
    await page.waitForFunction(
      ([label, there]) => Number(document.querySelector(`[aria-label="${label}"]`).ariaRowCount) - 1 > there,
      [label, there],
    );
    there = Number(await table.getAttribute('aria-rowcount')) - 1;
  }
}

/** From the first row to the last. @returns how long each frame took, in ms. */
function scrollThrough(page, label) {
  return page.getByRole('table', { name: label, exact: true }).evaluate(
    (element, pixels) =>
      new Promise((resolve) => {
        element.scrollTo(0, 0);
        const frames = [];
        let last;
        const next = (now) => {
          if (last !== undefined) frames.push(now - last);
          last = now;
          element.scrollBy(0, pixels);
          if (element.scrollTop + element.clientHeight >= element.scrollHeight - 1) resolve(frames);
          else requestAnimationFrame(next);
        };
        requestAnimationFrame(next);
      }),
    PIXELS_PER_FRAME,
  );
}

function report(measured) {
  const lists = [...new Set(measured.map(({ list }) => list))];
  const middle = (list, key) => median(measured.filter((one) => one.list === list).map((one) => one[key]));
  const rowsOf = (list) => measured.find((one) => one.list === list).rows;
  return {
    title: TITLE,
    tables: [
      {
        columns: ['list', 'rows', 'p50 ms', 'p95 ms', 'p99 ms'],
        rows: lists.map((list) => [
          list,
          rowsOf(list),
          ...['p50', 'p95', 'p99'].map((key) => round(middle(list, key))),
        ]),
      },
    ],
    checks: lists.map((list) => atMost(`${list}, p95 of frames`, round(middle(list, 'p95')), TARGET_MS)),
    notes: [
      `Medians of all rounds, ${PIXELS_PER_FRAME} pixels at each frame; what else the machine does lengthens frames as well.`,
    ],
    rounds: measured,
  };
}
