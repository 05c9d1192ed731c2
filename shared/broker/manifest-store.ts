/** The manifest on the broker: one entry per version, and `current` naming the one that gateways serve. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Kvm } from '@nats-io/kv';
import type { Names } from '../protocol/subjects.ts';
import type { Manifest } from '../steps/manifest.ts';
import type { Broker } from './connect.ts';
import { readEntry, writeEntry } from './key-value.ts';

const CURRENT = 'current';
const versionKey = (version: string) => `v.${version}`;

/** Stores a manifest and makes it the current one. */
export async function publishManifest(broker: Broker, names: Names, manifest: Manifest): Promise<void> {
  const packed = await promisify(gzip)(JSON.stringify(manifest));
  await writeEntry(broker, names.buckets.manifest, versionKey(manifest.version), packed);
  await writeEntry(broker, names.buckets.manifest, CURRENT, manifest.version);
}

/** A stored manifest, by default the current one. */
export async function readManifest(broker: Broker, names: Names, version?: string): Promise<Manifest | undefined> {
  const wanted = version ?? (await readText(broker, names, CURRENT));
  if (wanted === undefined) return undefined;
  const entry = await readEntry(broker, names.buckets.manifest, versionKey(wanted));
  return entry ? (JSON.parse((await promisify(gunzip)(entry.data)).toString('utf8')) as Manifest) : undefined;
}

/** Calls back with the current manifest, now if there is one and at every change. Stop with the returned function. */
export async function watchManifest(
  broker: Broker,
  names: Names,
  onManifest: (manifest: Manifest) => void,
): Promise<() => void> {
  const bucket = await new Kvm(broker.nc).open(names.buckets.manifest);
  const updates = await bucket.watch({ key: CURRENT });
  void (async () => {
    for await (const update of updates) {
      const manifest = await readManifest(broker, names, update.string()).catch(() => undefined);
      if (manifest) onManifest(manifest);
    }
  })();
  return () => updates.stop();
}

async function readText(broker: Broker, names: Names, key: string): Promise<string | undefined> {
  const entry = await readEntry(broker, names.buckets.manifest, key);
  return entry ? Buffer.from(entry.data).toString('utf8') : undefined;
}
