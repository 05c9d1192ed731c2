// What a tree of processes costs in memory. The kernel's own figure, PSS, divides a shared page among all processes that
// map it, so that any other Node process on the machine (this one is) would make the measured ones look smaller.
// Therefore shared pages are divided within the tree only.
import fs from 'node:fs';

const MAPPING = /^[0-9a-f]+-[0-9a-f]+ (\S+) (\S+) \S+ (\d+)/;
const FIELD = /^(Shared|Private)_(?:Clean|Dirty): +(\d+) kB/;

/** @param {number[]} pids @returns {Map<number, number>} MB of each; their sum counts every page once */
export function proportionalMemory(pids) {
  const perProcess = pids.map((pid) => ({ pid, ...readMappings(pid) }));
  const files = new Map(); // mapping → KB of it in each process
  for (const { shared } of perProcess) {
    for (const [mapping, kb] of shared) files.set(mapping, [...(files.get(mapping) ?? []), kb]);
  }
  const share = (mapping, kb) => {
    const all = files.get(mapping);
    return (kb / all.reduce((sum, one) => sum + one, 0)) * Math.max(...all);
  };
  return new Map(
    perProcess.map(({ pid, privateKb, shared }) => {
      const sharedKb = [...shared].reduce((sum, [mapping, kb]) => sum + share(mapping, kb), 0);
      return [pid, ((privateKb + sharedKb) * 1024) / 1e6];
    }),
  );
}

function readMappings(pid) {
  let privateKb = 0;
  let mapping = '';
  const shared = new Map();
  for (const line of fs.readFileSync(`/proc/${pid}/smaps`, 'latin1').split('\n')) {
    const header = MAPPING.exec(line);
    if (header) mapping = header.slice(1).join(' '); // permissions, offset, inode
    const field = FIELD.exec(line);
    if (!field || field[2] === '0') continue;
    if (field[1] === 'Private') privateKb += Number(field[2]);
    else shared.set(mapping, (shared.get(mapping) ?? 0) + Number(field[2]));
  }
  return { privateKb, shared };
}
