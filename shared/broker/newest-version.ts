/**
 * Which version of one language's steps is the newest, and which were so before: what tells a worker of an older version that starts
 * again from a new one. Without it such a start would make the older version current again.
 */
import type { Names } from '../protocol/subjects.ts';
import type { StepEntry } from '../steps/manifest.ts';
import type { Broker } from './connect.ts';
import { readLast, replaceEntry } from './key-value.ts';
import { readVersions } from './worker-lease.ts';

/** Who makes a version current, which decides what it may replace. */
export type Publisher =
  /** A worker that starts: not what live workers of a newer version serve. */
  | 'worker'
  /** A worker that follows edits: anything. */
  | 'editor'
  /** `motia provision`: anything, and its workers are yet to come. */
  | 'provision';

interface Newest {
  /** Newest first. */
  versions: string[];
  /** No worker of the newest has published it yet. */
  awaited?: true;
}

/** Versions that are remembered; what is older counts as new. */
const MOST_VERSIONS = 100;

/**
 * Makes a version the newest of its language, unless it was so before and a newer one lives or is awaited.
 * @returns whether it is the newest now.
 */
export async function claimNewest(
  broker: Broker,
  names: Names,
  { language, version }: { language: StepEntry['language']; version: string },
  publisher: Publisher,
): Promise<boolean> {
  const [bucket, key] = [names.buckets.manifest, `newest.${language}`];
  for (;;) {
    const { entry, revision } = await readLast(broker, bucket, key);
    const before = entry ? (JSON.parse(Buffer.from(entry.data).toString('utf8')) as Newest) : { versions: [] };
    const { versions, awaited } = before;
    const [newest] = versions;
    const isAwaited = publisher === 'provision';
    if (newest === version && (isAwaited || !awaited)) return true;
    if (publisher === 'worker' && newest !== version && versions.includes(version)) {
      if (awaited || (await readVersions(broker, names, language)).has(newest as string)) return false;
    }
    const all = [version, ...versions.filter((one) => one !== version)].slice(0, MOST_VERSIONS);
    const next: Newest = { versions: all, ...(isAwaited && { awaited: true }) };
    if ((await replaceEntry(broker, bucket, key, JSON.stringify(next), revision)) !== undefined) return true;
  }
}
