/** Finds what a command started, also what outlives its parent, by a variable in the environment of every process. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface RunningProcess {
  pid: number;
  commandLine: string;
}

/** All processes with `mark` in their environment. */
export async function processesWith(mark: string): Promise<RunningProcess[]> {
  return process.platform === 'linux' ? fromProc(mark) : fromPs(mark);
}

/** Kills them. @returns those that there were. */
export async function killProcessesWith(mark: string): Promise<RunningProcess[]> {
  const found = await processesWith(mark);
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {} // ended meanwhile
  }
  return found;
}

async function fromProc(mark: string): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Empty for a process that has ended but was not waited for yet, and unreadable for one of another user.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      if (!environment.includes(mark)) return undefined;
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(pid), commandLine: commandLine.replaceAll('\0', ' ').trim() };
    }),
  );
  return found.filter((process) => process !== undefined);
}

async function fromPs(mark: string): Promise<RunningProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['axeww', '-o', 'pid=,command='], { maxBuffer: 64 << 20 });
  return stdout
    .split('\n')
    .filter((line) => line.includes(mark))
    .map((line) => ({ pid: Number.parseInt(line, 10), commandLine: line.trim() }));
}
