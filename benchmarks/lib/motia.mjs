// Our own framework as a user would run it: the built CLI in a project folder.
import fs from 'node:fs';
import path from 'node:path';
import { CLI, ROOT } from '../../scripts/prepare.mjs';
import { freePort, untilOk } from './processes.mjs';

/** Links `motia` and `zod` into a project, as an installation would. @param {string} project */
export function installInto(project) {
  const modules = path.join(project, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  fs.symlinkSync(ROOT, path.join(modules, 'motia'));
  fs.symlinkSync(path.join(ROOT, 'node_modules/zod'), path.join(modules, 'zod'));
}

/** The project of the load benchmarks in a folder of its own. @param {import('./processes.mjs').Scope} scope */
export const createLoadProject = (scope) => createProject(scope, 'load-app', 'time-operations.mjs');

/**
 * A project of `fixtures/` in a folder of its own.
 *
 * @param {import('./processes.mjs').Scope} scope
 * @param {string} fixture
 * @param {string} [shared] file of this folder that its steps import
 */
export function createProject(scope, fixture, shared) {
  const project = scope.temporaryFolder();
  fs.cpSync(new URL(`../fixtures/${fixture}/`, import.meta.url), project, { recursive: true });
  if (shared) fs.copyFileSync(new URL(shared, import.meta.url), path.join(project, 'steps', shared));
  installInto(project);
  return project;
}

/**
 * Starts a gateway and workers, each a process, against one broker, exporting their traces to `otlpUrl` if there is one.
 *
 * @param {import('./processes.mjs').Scope} scope
 * @param {object} options
 * @param {string} options.natsUrl
 * @param {string} [options.project] default: the project of the load benchmarks
 * @param {number} [options.workers] default 1
 * @param {string} [options.otlpUrl]
 * @param {string} [options.handledFile] where the event step appends what it has handled
 * @param {Record<string, string>} [options.env] more of it
 * @param {(role: string) => string[]} [options.nodeFlags]
 */
export async function startMotia(scope, options) {
  const { natsUrl, project = createLoadProject(scope), workers: count = 1, otlpUrl, handledFile } = options;
  const { nodeFlags = () => [] } = options;
  const port = await freePort();
  const env = {
    NATS_URL: natsUrl,
    MOTIA_APP: 'bench',
    LOG_LEVEL: 'warn',
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
    BENCH_HANDLED_FILE: handledFile,
    ...options.env,
  };
  const start = (role, ...flags) =>
    scope.spawn(process.execPath, [...nodeFlags(role), CLI, role, ...flags], {
      cwd: project,
      env,
      log: path.join(project, `${role}.log`),
    });
  const workers = Array.from({ length: count }, () => start('worker'));
  const gateway = start('gateway', '--host', '127.0.0.1', '--port', String(port));
  const url = `http://127.0.0.1:${port}`;
  await untilOk(`${url}/hello`, [gateway, ...workers]);
  return { port, gateway: gateway.child, worker: workers[0].child, workers, url, start };
}

/** POSTs JSON and gives the JSON answer. @param {string} url @param {object} body */
export async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}
