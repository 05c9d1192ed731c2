/**
 * The manifest on the broker: one entry per version, and `current` naming the one that gateways serve. Workers of several
 * languages write it, each its own steps; whoever is late reads again what the others wrote.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Names } from '../protocol/subjects.ts';
import { createManifest, type Manifest } from '../steps/manifest.ts';
import { mergeSteps, mergeStreams } from '../steps/merge.ts';
import type { Broker } from './connect.ts';
import { purgeRevision, readEntries, readEntry, readLast, replaceEntry, writeEntry } from './key-value.ts';
import { claimNewest, type Publisher } from './newest-version.ts';
import { OrderedFeed } from './ordered-feed.ts';

/** What has come of publishing a manifest. */
export interface Publication {
  /** As it is now, or would be. */
  manifest: Manifest;
  /** One for each name and route that is used twice. */
  warnings: string[];
  /** It was left as it is, because workers of a newer version live. */
  gaveWay: boolean;
}

const RETIRED_AFTER_MS = 24 * 3_600_000;
const READ_AGAIN_MS = 250;
const CURRENT = 'current';
const versionKey = (version: string) => `v.${version}`;

/**
 * Makes the Node steps and streams and the settings of `own` those of the current manifest.
 * @param keepOthers whether steps and streams of other languages stay in it: the project still has such.
 */
export async function publishManifest(
  broker: Broker,
  names: Names,
  own: Manifest,
  keepOthers: boolean,
  publisher: Publisher,
): Promise<Publication> {
  const bucket = names.buckets.manifest;
  for (;;) {
    const { entry: current, revision } = await readLast(broker, bucket, CURRENT);
    // After the read: whoever makes a newer version current meanwhile has claimed that before, or changes what was read here.
    const isNewest = await claimNewest(broker, names, { language: 'node', version: own.version }, publisher);
    const before = current && (await readManifest(broker, names, Buffer.from(current.data).toString('utf8')));
    const others = keepOthers ? before : undefined;
    const { steps, warnings } = mergeSteps(others?.steps ?? [], own.steps, 'node');
    const { streams, warnings: streamWarnings } = mergeStreams(others?.streams ?? [], own.streams ?? [], 'node');
    warnings.push(...streamWarnings);
    const manifest = createManifest({ app: own.app, settings: own.settings, steps, streams });
    if (!isNewest || manifest.version === before?.version) return { manifest, warnings, gaveWay: !isNewest };
    await writeEntry(broker, bucket, versionKey(manifest.version), gzipSync(JSON.stringify(manifest)));
    if ((await replaceEntry(broker, bucket, CURRENT, manifest.version, revision)) !== undefined)
      return { manifest, warnings, gaveWay: false };
  }
}

/** Takes away manifests that have not been current for a day. */
export async function retireManifests(broker: Broker, names: Names, now = Date.now()): Promise<void> {
  const bucket = names.buckets.manifest;
  const entries = await readEntries(broker, bucket, versionKey('*'));
  const current = await readText(broker, names, CURRENT);
  for (const { key, revision, header } of entries) {
    const isOld = Date.parse(header('Nats-Time-Stamp')) < now - RETIRED_AFTER_MS;
    // Of that revision only: one that becomes current again is written anew before.
    if (isOld && current !== undefined && key !== versionKey(current))
      await purgeRevision(broker, bucket, key, revision);
  }
}

/** A stored manifest, by default the current one. */
export async function readManifest(broker: Broker, names: Names, version?: string): Promise<Manifest | undefined> {
  const wanted = version ?? (await readText(broker, names, CURRENT));
  if (wanted === undefined) return undefined;
  const entry = await readEntry(broker, names.buckets.manifest, versionKey(wanted));
  return entry ? (JSON.parse(gunzipSync(entry.data).toString('utf8')) as Manifest) : undefined;
}

/** Calls back with the current manifest, now if there is one and at every change. Stop with the returned function. */
export async function watchManifest(
  broker: Broker,
  names: Names,
  onManifest: (manifest: Manifest) => void,
): Promise<() => void> {
  let stopped = false;
  let reading = false;
  let changed = false;
  let latest: string | undefined;
  const readAll = async () => {
    reading = true;
    while (changed && !stopped) {
      changed = false; // one reading for all that came by now
      const manifest = await readManifest(broker, names, latest).catch(() => 'again' as const);
      if (manifest === 'again') {
        changed = true;
        await sleep(READ_AGAIN_MS, undefined, { ref: false });
      } else if (manifest && !stopped) onManifest(manifest);
    }
    reading = false;
  };
  /** @param version the current one, if that is known. */
  const onChange = (version?: string) => {
    latest = version;
    changed = true;
    if (!reading) void readAll();
  };
  const { manifest: bucket } = names.buckets;
  const feed = new OrderedFeed(broker, {
    stream: `KV_${bucket}`,
    filter: `$KV.${bucket}.${CURRENT}`,
    onMessage: ({ data }) => onChange(Buffer.from(data).toString('utf8') || undefined), // empty: it was removed
    onReset: () => onChange(),
    afterReset: 'next',
  });
  await feed.start();
  onChange(); // what was there before
  return () => {
    stopped = true;
    feed.close();
  };
}

async function readText(broker: Broker, names: Names, key: string): Promise<string | undefined> {
  const entry = await readEntry(broker, names.buckets.manifest, key);
  return entry ? Buffer.from(entry.data).toString('utf8') : undefined;
}
