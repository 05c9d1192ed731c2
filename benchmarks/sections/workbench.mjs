// The Workbench: how soon it can be used, how smoothly long lists scroll, and what an open page costs the app.
import { startBroker } from '../lib/broker.mjs';
import { Load } from '../lib/load.mjs';
import { startMotia } from '../lib/motia.mjs';
import { openBrowser, scrollFrames, timeToRows } from '../lib/page.mjs';
import { atLeast, atMost } from '../lib/report.mjs';
import { median, percentiles, round } from '../lib/stats.mjs';
import { CONNECTIONS, REQUESTS } from './http.mjs';

const TOKEN = 'the-token-of-the-benchmark';
const TRACES = 5_000;
/** Of each process as many spans are stored in a second. */
const TRACES_PER_SECOND = 400;
const RECORDS = 10_000;
const RECORDS_OF_A_CALL = 100;
const WARM_UP_SECONDS = 2;
const NO_CHROMIUM = 'Not measured: there is no Chromium, neither as CHROMIUM nor on the PATH.';

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number }} options */
export async function workbench(scope, { rounds, duration }) {
  const newPage = await openBrowser(scope, TOKEN);
  if (!newPage) return { title: 'Workbench', tables: [], checks: [], notes: [NO_CHROMIUM], rounds: [] };
  const load = await Load.start(scope);
  const broker = await startBroker(scope);
  const { port, url } = await startMotia(scope, {
    natsUrl: broker.url,
    env: { MOTIA_WORKBENCH: 'on', MOTIA_ADMIN_TOKEN: TOKEN, OTEL_TRACES_SAMPLER: 'parentbased_always_on' },
  });
  const ui = `${url}/__motia/ui`;
  await makeTraces(url);

  const starts = [];
  for (let number = 1; number <= rounds; number++) starts.push(await timeToRows(newPage, `${ui}/traces`));

  const page = await newPage();
  await page.goto(`${ui}/traces`);
  const { rows, frames } = await scrollFrames(page, 'No older traces are stored');
  await page.context().close();
  const scrolling = percentiles(frames);

  await makeRecords(url);
  const logPage = await newPage();
  await logPage.goto(`${ui}/logs`);
  const log = await scrollFrames(logPage, 'No older records are stored');
  await logPage.context().close();
  const logScrolling = percentiles(log.frames);

  const measured = await measureCost(load, port, newPage, `${ui}/flows`, rounds, duration);
  const ratio = round(median(measured.map(({ open, closed }) => open / closed)));
  const of = (key) => Math.round(median(measured.map((one) => one[key])));
  return {
    title: 'Workbench',
    tables: [
      {
        columns: ['page', 'value'],
        rows: [
          [`first row can be clicked, median of ${rounds}, ms`, Math.round(median(starts))],
          [`frames of scrolling ${rows} traces, p50, ms`, round(scrolling.p50, 1)],
          ['p95, ms', round(scrolling.p95, 1)],
          [`frames of scrolling ${log.rows} records of the log, p50, ms`, round(logScrolling.p50, 1)],
          ['p95, ms', round(logScrolling.p95, 1)],
          ['req/s, no page open', of('closed')],
          ['req/s, the graph of a flow open', of('open')],
        ],
      },
    ],
    checks: [
      atMost('interactive, ms', Math.round(median(starts)), 1_000),
      atLeast('traces in the list', rows, TRACES * 0.95),
      atMost('p95 of frames, traces, ms', round(scrolling.p95, 1), 50),
      atLeast('records in the log', log.rows, RECORDS),
      atMost('records in the log, each once', log.rows, RECORDS * 1.01),
      atMost('p95 of frames, log, ms', round(logScrolling.p95, 1), 50),
      atLeast('page open / closed', ratio, 0.95),
    ],
    notes: [
      'Interactive: from the request of the page, with empty caches, until the first of the traces can be clicked.',
      'Scrolling: 300 pixels at each frame, all rows loaded before.',
      `Page open: ${REQUESTS[0].path} with ${CONNECTIONS} connections; Chromium draws the pulses of the graph on the same machine.`,
    ],
    rounds: { starts, frames, logFrames: log.frames, measured },
  };
}

/** As many requests in a second as are all recorded. */
async function makeTraces(url) {
  const each = 1_000 / TRACES_PER_SECOND;
  const began = performance.now();
  for (let number = 0; number < TRACES; number++) {
    const wait = began + number * each - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    await (await fetch(`${url}/hello`)).arrayBuffer();
  }
}

/** Records of a step, a hundred at a time. */
async function makeRecords(url) {
  for (let made = 0; made < RECORDS; made += RECORDS_OF_A_CALL) await (await fetch(`${url}/talk`)).arrayBuffer();
}

/** Requests in a second without and with an open page, in turn. */
async function measureCost(load, port, newPage, url, rounds, seconds) {
  const run = async (time) =>
    (await load.run({ ...REQUESTS[0], port, connections: CONNECTIONS, seconds: time })).perSecond;
  await run(WARM_UP_SECONDS);
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    const closed = await run(seconds);
    const page = await newPage();
    await page.goto(url);
    await page.locator('.react-flow__node').first().waitFor();
    const open = await run(seconds);
    await page.context().close();
    measured.push({ closed, open });
  }
  return measured;
}
