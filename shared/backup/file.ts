/**
 * The file of a backup: lines of JSON, compressed by gzip. The first says what it is, the last how many records it has, so that one that was cut off is known
 * as such before anything of it is restored.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { MotiaError } from '../errors.ts';
import { type BackupRecord, noRecords, type RecordCounts } from './records.ts';

/** Version of the format. A reader refuses one that it does not know. */
const FORMAT = 1;

export interface BackupHead {
  app: string;
  /** ISO 8601. */
  takenAt: string;
}

/** Writes a backup beside its place, and moves it there when it is whole. Only its owner may read it. */
export async function writeBackup(
  path: string,
  head: BackupHead,
  records: AsyncIterable<BackupRecord>,
): Promise<RecordCounts> {
  const partial = `${path}.partial`;
  const counts = noRecords();
  const gzip = createGzip();
  const written = pipeline(gzip, createWriteStream(partial, { mode: 0o600 }));
  const write = async (line: object) => {
    if (!gzip.write(`${JSON.stringify(line)}\n`)) await Promise.race([once(gzip, 'drain'), written]);
  };
  try {
    await write({ motiaBackup: FORMAT, ...head });
    for await (const record of records) {
      counts[record.kind]++;
      await write(record);
    }
    gzip.end(`${JSON.stringify({ end: counts })}\n`);
    await written;
    await rename(partial, path);
    return counts;
  } catch (error) {
    gzip.destroy();
    await written.catch(() => {}); // says the same
    await rm(partial, { force: true });
    throw error;
  }
}

/** Reads all of a backup. @throws {MotiaError} `INVALID_BACKUP` for another file, and one that is not whole. */
export async function checkBackup(path: string): Promise<BackupHead & { counts: RecordCounts }> {
  const counts = noRecords();
  let head: BackupHead | undefined;
  let end: RecordCounts | undefined;
  for await (const line of readLines(path)) {
    if (!head) head = toHead(path, line);
    else if (isEnd(line)) end = line.end;
    else if (isRecord(line) && !end) counts[line.kind]++;
    else throw invalid(path, 'it has a line that is no record');
  }
  if (!head) throw invalid(path, 'it is empty');
  if (JSON.stringify(end) !== JSON.stringify(counts)) throw invalid(path, 'it is cut off');
  return { ...head, counts };
}

/** The records of a backup that was checked. */
export async function* readBackup(path: string): AsyncGenerator<BackupRecord> {
  for await (const line of readLines(path)) if (isRecord(line)) yield line;
}

async function* readLines(path: string): AsyncGenerator<unknown> {
  const file = createReadStream(path);
  const text = createGunzip().setEncoding('utf8');
  const read = pipeline(file, text).catch(() => {}); // whoever reads the text hears of it
  let begun = '';
  try {
    for await (const chunk of text as AsyncIterable<string>) {
      const [end = '', ...rest] = chunk.split('\n');
      if (rest.length === 0) begun += end;
      else {
        for (const line of [begun + end, ...rest.slice(0, -1)]) yield parse(path, line);
        begun = rest.at(-1) as string;
      }
    }
  } catch (error) {
    if (error instanceof MotiaError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw invalid(path, code === 'ENOENT' ? 'there is no such file' : message);
  } finally {
    file.destroy();
    await read;
  }
  if (begun !== '') throw invalid(path, 'it is cut off');
}

function parse(path: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw invalid(path, 'it has a line that is no JSON');
  }
}

function toHead(path: string, line: unknown): BackupHead {
  const { motiaBackup, app, takenAt } = Object(line) as Record<string, unknown>;
  if (motiaBackup === undefined) throw invalid(path, 'it is no backup of an app');
  if (motiaBackup !== FORMAT) throw invalid(path, `it has format ${motiaBackup}, and this version reads ${FORMAT}`);
  return { app: String(app), takenAt: String(takenAt) };
}

const isEnd = (line: unknown): line is { end: RecordCounts } => Object(line).end !== undefined;

function isRecord(line: unknown): line is BackupRecord {
  const { kind, key, json, step, headers, data } = Object(line) as Record<string, unknown>;
  if (kind === 'dead-letter')
    return typeof step === 'string' && typeof data === 'string' && Object(headers) === headers;
  return (kind === 'state' || kind === 'item') && typeof key === 'string' && typeof json === 'string';
}

const invalid = (path: string, why: string) => new MotiaError('INVALID_BACKUP', `${path} cannot be restored: ${why}`);
