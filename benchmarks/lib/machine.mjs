// Names the machine and the moment, without which no figure means anything.
import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { processes, processTree } from './processes.mjs';
import { round } from './stats.mjs';

/** @param {string} natsVersion */
export function describeMachine(natsVersion) {
  const cpus = os.cpus();
  return {
    cpu: cpus[0].model.trim(),
    cores: cpus.length,
    memoryGb: round(os.totalmem() / 2 ** 30, 1),
    system: `${os.type()} ${os.release()}`,
    node: process.version,
    natsServer: natsVersion,
  };
}

/** Load average, and the processes beside ours that used more than 3 % of a core during one second. */
export async function describeMoment() {
  const before = new Map(processes().map(({ pid, cpuSeconds }) => [pid, cpuSeconds]));
  await sleep(1000);
  const ours = new Set(processTree(process.pid).map(({ pid }) => pid));
  const beside = processes()
    .filter(({ pid }) => !ours.has(pid))
    .map(({ pid, name, cpuSeconds }) => ({ name, percent: Math.round((cpuSeconds - (before.get(pid) ?? 0)) * 100) }))
    .filter(({ percent }) => percent > 3)
    .sort((a, b) => b.percent - a.percent);
  return { at: new Date().toISOString(), loadAverage: os.loadavg().map((load) => round(load)), beside };
}

/**
 * Starts to watch the machine. The function it returns tells the share of the machine's CPU time that went to anything
 * but us since then, in percent; call it when all our children have ended, which is when Linux adds their time to ours.
 */
export function watchForeignCpu() {
  const before = machineTicks();
  return () => {
    const { busy, idle, ours } = machineTicks();
    const busyTicks = busy - before.busy;
    const foreign = Math.max(0, busyTicks - (ours - before.ours));
    return Math.round((foreign / (busyTicks + idle - before.idle)) * 100);
  };
}

function machineTicks() {
  const first = fs.readFileSync('/proc/stat', 'latin1').split('\n', 1)[0];
  const [user, nice, system, idle, ioWait, irq, softIrq, steal] = first.match(/\d+/g).map(Number);
  const own = fs.readFileSync('/proc/self/stat', 'latin1').split(' ').slice(13, 17).map(Number);
  return {
    busy: user + nice + system + irq + softIrq + steal,
    idle: idle + ioWait,
    ours: own.reduce((sum, ticks) => sum + ticks, 0),
  };
}
