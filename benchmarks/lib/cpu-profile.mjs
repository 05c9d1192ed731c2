// Reads V8 CPU profiles and adds up where the time was spent.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Self time of each function over several profiles, the longest first, without idle time.
 *
 * @param {string[]} files `.cpuprofile`
 * @param {{ from: number, to: number }} window of the monotonic clock, in microseconds
 * @returns {{ name: string, place: string, micros: number }[]}
 */
export function selfTimes(files, window) {
  const total = new Map();
  for (const file of files) {
    const { nodes, samples, timeDeltas, startTime } = JSON.parse(fs.readFileSync(file, 'utf8'));
    const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
    let at = startTime;
    for (let i = 0; i < samples.length; i++) {
      at += timeDeltas[i];
      const frame = frames.get(samples[i]);
      if (at < window.from || at > window.to || frame.functionName === '(idle)') continue;
      const place = frame.url && `${shortPath(frame.url)}:${frame.lineNumber + 1}`;
      const key = `${frame.functionName} ${place}`;
      const entry = total.get(key) ?? { name: frame.functionName || '(anonymous)', place, micros: 0 };
      entry.micros += timeDeltas[i + 1] ?? 0; // a sample holds until the next one
      total.set(key, entry);
    }
  }
  return [...total.values()].sort((a, b) => b.micros - a.micros);
}

/** The last three parts of a path, from the package on when it lies in node_modules. */
function shortPath(url) {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  const inPackage = file.lastIndexOf('node_modules/');
  return inPackage >= 0 ? file.slice(inPackage + 'node_modules/'.length) : file.split(path.sep).slice(-3).join('/');
}
