/** Tells processes apart although process ids are used again: a process is its id and the time it started. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessIdentity {
  pid: number;
  /** Opaque: equal for the same process, different for another one with the same id. */
  startedAt: string;
}

/** Whether there is a process with this id. */
export function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false; // 0 and negative ids mean process groups
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives, and belongs to somebody else
  }
}

/** The identity of a running process; `undefined` when there is none with this id. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? await linuxStart(pid) : await psField(pid, 'lstart');
  return startedAt ? { pid, startedAt } : undefined;
}

export async function isSameProcess(process: ProcessIdentity): Promise<boolean> {
  return (await identify(process.pid))?.startedAt === process.startedAt;
}

/** The command line of a running process, its parts joined by spaces; empty when there is none. */
export async function commandLine(pid: number): Promise<string> {
  if (process.platform !== 'linux') return psField(pid, 'command');
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').join(' ').trim();
}

/** Clock ticks since boot. A zombie counts as gone: nobody can wait for it any more but its parent. */
async function linuxStart(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the name before it may contain anything
  return fields[0] === 'Z' ? undefined : fields[19];
}

async function psField(pid: number, field: string): Promise<string> {
  const ps = promisify(execFile)('ps', ['-o', `${field}=`, '-p', String(pid)], { timeout: 2_000 });
  return ps.then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
