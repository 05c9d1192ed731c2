// Starting and ending the processes that a benchmark measures, and what Linux tells about them in /proc.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_SECOND = 100;
const GRACE_MS = 30_000; // above the grace time of the worker
const START_MS = 60_000;
const POLL_MS = 5;

/** What a section has opened; closed in reverse order when the section ends, also when it fails. */
export class Scope {
  #closers = [];

  /** @param {() => unknown} close */
  defer(close) {
    this.#closers.push(close);
  }

  async close() {
    for (const close of this.#closers.reverse()) await close();
  }

  /** A folder that is removed in the end. */
  temporaryFolder() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'motia-bench-'));
    this.defer(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    return folder;
  }

  /**
   * Forks one of our own scripts and waits for its first message.
   *
   * @param {URL} script
   * @param {(string | number)[]} [args]
   */
  async fork(script, args = []) {
    const child = fork(script, args.map(String));
    this.defer(() => end(child));
    child.on('error', () => {});
    // Whoever waits for its message then fails instead of waiting for ever.
    child.on('exit', (code) => child.emit('error', new Error(`${path.basename(script.pathname)} ended with ${code}`)));
    await once(child, 'message');
    return child;
  }

  /**
   * Starts a command whose output goes to a file, shown when it ends by itself.
   *
   * @param {string} command
   * @param {string[]} args
   * @param {{ cwd: string, env?: Record<string, string | undefined>, log: string }} options `env` is added to ours
   * @returns {Started}
   */
  spawn(command, args, { cwd, env, log }) {
    const output = fs.openSync(log, 'a');
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', output, output] });
    fs.closeSync(output);
    this.defer(() => end(child));
    return { child, log };
  }
}

/** Ends a process we started: gracefully, then by force. @param {import('node:child_process').ChildProcess} child */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await exited;
  clearTimeout(forced);
}

/** Sends a message to a forked process and waits for its answer. */
export async function ask(child, message) {
  const answer = once(child, 'message');
  child.send(message);
  return (await answer)[0];
}

/** @returns {Promise<number>} */
export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

/** @typedef {{ child: import('node:child_process').ChildProcess, log: string }} Started */

/**
 * Polls until the answer is a 200.
 *
 * @param {string} url
 * @param {Started[]} started what has to stay alive for that
 */
export async function untilOk(url, started) {
  for (const deadline = performance.now() + START_MS; performance.now() < deadline; await sleep(POLL_MS)) {
    if (started.some(({ child }) => child.exitCode !== null)) break;
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
  }
  const output = started.map(({ log }) => `--- ${log}\n${fs.readFileSync(log, 'utf8').slice(-3000)}`);
  throw new Error(`${url} did not answer with 200\n${output.join('\n')}`);
}

/** @typedef {{ pid: number, name: string, parent: number, cpuSeconds: number }} ProcessInfo */

/** All processes of the machine. @returns {ProcessInfo[]} */
export function processes() {
  return fs.readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? (processInfo(Number(entry)) ?? []) : []));
}

/** @param {number} pid @returns {ProcessInfo | undefined} undefined when it has ended */
function processInfo(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const nameEnd = stat.lastIndexOf(')');
    const fields = stat.slice(nameEnd + 2).split(' ');
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    return { pid, name: stat.slice(stat.indexOf('(') + 1, nameEnd), parent: Number(fields[1]), cpuSeconds };
  } catch {
    return undefined;
  }
}

/** CPU time a process has used so far. @param {number} pid */
export function cpuSeconds(pid) {
  return processInfo(pid)?.cpuSeconds ?? 0;
}

/** A process and everything below it. @param {number} root @returns {ProcessInfo[]} */
export function processTree(root) {
  const all = processes();
  const tree = all.filter(({ pid }) => pid === root);
  for (const member of tree) tree.push(...all.filter(({ parent }) => parent === member.pid));
  return tree;
}

/** The command line without its folders, to tell processes apart in a table. @param {number} pid */
export function commandLine(pid) {
  const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').filter(Boolean);
  return words.map((word) => (word.includes('/') ? path.basename(word) : word)).join(' ');
}
