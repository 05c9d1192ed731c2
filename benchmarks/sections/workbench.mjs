// The Workbench: how soon it can be used, how smoothly long lists scroll, and what an open page costs the app.
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from '../lib/broker.mjs';
import { Load } from '../lib/load.mjs';
import { startMotia } from '../lib/motia.mjs';
import { openBrowser, scrollFrames, timeToRows } from '../lib/page.mjs';
import { cpuOf, recordRequests, repeatRequests } from '../lib/page-cost.mjs';
import { processTree } from '../lib/processes.mjs';
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
/** Processes of a page that was closed are gone by then: their processor time goes with them. */
const GONE_AFTER_MS = 1_000;
/** For each second of another load: about as many as are answered in that time. */
const REQUESTS_PER_SECOND = 4_000;
const LONGEST_SECONDS = 60;
const WAYS = { closed: 'no page open', asked: 'what the page asks for, without it', open: 'the graph of a flow open' };
const ROLES = ['gateway', 'worker', 'broker', 'chromium'];
const NO_CHROMIUM = 'Not measured: there is no Chromium, neither as CHROMIUM nor on the PATH.';

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number }} options */
export async function workbench(scope, { rounds, duration }) {
  const newPage = await openBrowser(scope, TOKEN);
  if (!newPage) return { title: 'Workbench', tables: [], checks: [], notes: [NO_CHROMIUM], rounds: [] };
  const load = await Load.start(scope);
  const broker = await startBroker(scope);
  const { port, url, gateway, worker } = await startMotia(scope, {
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

  const pids = { gateway: gateway.pid, worker: worker.pid, broker: brokerPid() };
  const run = runner(load, port, pids, duration);
  const measured = await measureCost(run, newPage, url, `${ui}/flows`, rounds);
  const ratio = (way) => round(median(measured.map((one) => one[way].perSecond / one.closed.perSecond)));
  const of = (way, key) => round(median(measured.map((one) => one[way][key])), key === 'perSecond' ? 0 : 1);
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
        ],
      },
      {
        columns: ['CPU ms for 1,000 requests', ...ROLES, 'req/s'],
        rows: Object.entries(WAYS).map(([way, title]) => [
          title,
          ...ROLES.map((role) => of(way, role)),
          of(way, 'perSecond'),
        ]),
      },
    ],
    checks: [
      atMost('interactive, ms', Math.round(median(starts)), 1_000),
      atLeast('traces in the list', rows, TRACES * 0.95),
      atMost('p95 of frames, traces, ms', round(scrolling.p95, 1), 50),
      atLeast('records in the log', log.rows, RECORDS),
      atMost('records in the log, each once', log.rows, RECORDS * 1.01),
      atMost('p95 of frames, log, ms', round(logScrolling.p95, 1), 50),
      atLeast('what the page asks for / closed', ratio('asked'), 0.95),
      atLeast('page open / closed', ratio('open'), 0.95),
    ],
    notes: [
      'Interactive: from the request of the page, with empty caches, until the first of the traces can be clicked.',
      'Scrolling: 300 pixels at each frame, all rows loaded before.',
      `Page open: ${REQUESTS[0].path} with ${CONNECTIONS} connections; Chromium shows the graph on the same cores.`,
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

/** The one that this process has started. */
const brokerPid = () => processTree(process.pid).find(({ name }) => name.startsWith('nats-server')).pid;

/** Makes as many requests each time, and gives how many there were in a second, with milliseconds of processor time for 1,000. */
function runner(load, port, pids, duration) {
  const order = { ...REQUESTS[0], port, connections: CONNECTIONS, seconds: LONGEST_SECONDS };
  return async (seconds = duration) => {
    const before = cpuOf(pids);
    const { requests, perSecond } = await load.run({ ...order, requests: Math.round(REQUESTS_PER_SECOND * seconds) });
    const after = cpuOf(pids);
    const micros = (role) => ((after[role] - before[role]) * 1e6) / requests;
    return { perSecond, ...Object.fromEntries(ROLES.map((role) => [role, micros(role)])) };
  };
}

/** The same requests without a page, with what a page asks for, and with the page, in turn. */
async function measureCost(run, newPage, url, shown, rounds) {
  const open = async (page) => {
    await page.goto(shown);
    await page.locator('.react-flow__node').first().waitFor();
  };
  const recorded = await newPage();
  const requests = await recordRequests(recorded, () => open(recorded));
  await recorded.context().close();
  await run(WARM_UP_SECONDS);
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    const closed = await run();
    const stop = repeatRequests(url, TOKEN, requests);
    const asked = await run();
    await stop();
    const page = await newPage();
    await open(page);
    await page.waitForLoadState('networkidle', { timeout: 1_000 }).catch(() => {}); // it goes on asking
    measured.push({ closed, asked, open: await run() });
    await page.context().close();
    await sleep(GONE_AFTER_MS);
  }
  return measured;
}
