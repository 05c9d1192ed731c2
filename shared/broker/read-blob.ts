/**
 * Reads objects of a NATS object store in a few round trips. The client's own reader has a consumer, which waits for ever for
 * chunks that somebody removes meanwhile, and for those that a lost connection took along.
 */
import { createHash } from 'node:crypto';
import type { Msg } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import { readAnswer } from './publish.ts';

/** What a store says of an object. */
interface ObjectInfo {
  nuid: string;
  chunks: number;
  /** `SHA-256=` and base64. */
  digest: string;
  deleted?: boolean;
}

/** Chunks per round trip: 8 MB. */
const WINDOW = 64;
const DIGEST = 'SHA-256=';
const MESSAGE_NOT_FOUND = 10037;
const STREAM_NOT_FOUND = 10059;
const END_OF_BATCH = 204;
const NO_MESSAGES = 404;

/**
 * The bytes under a name, or `undefined`.
 * @throws {MotiaError} `BROKER_TIMEOUT` for an object that is not there as a whole (any more), `INVALID_VALUE` for a damaged one.
 */
export async function readBlob(broker: Broker, bucket: string, name: string): Promise<Buffer | undefined> {
  const info = await readInfo(broker, bucket, name);
  if (!info || info.deleted) return undefined;
  const chunks: Msg[] = [];
  for (let seq = 1; chunks.length < info.chunks; ) {
    const page = await readChunks(broker, bucket, info.nuid, seq);
    const last = page.at(-1);
    if (!last) throw new MotiaError('BROKER_TIMEOUT', 'a large payload is not in the object store as a whole');
    chunks.push(...page);
    seq = Number(last.headers?.get('Nats-Sequence')) + 1;
  }
  const bytes = Buffer.concat(chunks.map(({ data }) => data));
  const digest = Buffer.from(info.digest.slice(DIGEST.length), 'base64url');
  if (!createHash('sha256').update(bytes).digest().equals(digest)) {
    throw new MotiaError('INVALID_VALUE', 'a large payload is damaged in the object store');
  }
  return bytes;
}

async function readInfo(broker: Broker, bucket: string, name: string): Promise<ObjectInfo | undefined> {
  const encoded = Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  const query = JSON.stringify({ last_by_subj: `$O.${bucket}.M.${encoded}` });
  return broker.mux.request(`$JS.API.STREAM.MSG.GET.OBJ_${bucket}`, query, {}, (reply) => {
    const code = reply.json<{ error?: { err_code?: number } }>().error?.err_code;
    if (code === MESSAGE_NOT_FOUND) return undefined;
    if (code === STREAM_NOT_FOUND) throw new MotiaError('BROKER_TIMEOUT', `the broker has no stream OBJ_${bucket} yet`);
    const { message } = readAnswer<{ message: { data: string } }>(reply);
    return JSON.parse(Buffer.from(message.data, 'base64').toString('utf8')) as ObjectInfo;
  });
}

async function readChunks(broker: Broker, bucket: string, nuid: string, seq: number): Promise<Msg[]> {
  const query = JSON.stringify({ seq, next_by_subj: `$O.${bucket}.C.${nuid}`, batch: WINDOW });
  const isLast = ({ headers }: Msg) => (headers?.code ?? 0) !== 0;
  const replies = await broker.mux.requestMany(`$JS.API.DIRECT.GET.OBJ_${bucket}`, query, isLast);
  const status = replies.pop()?.headers;
  if (status?.code !== END_OF_BATCH && status?.code !== NO_MESSAGES) {
    throw new MotiaError('BROKER_REFUSED', `the broker refused a read: ${status?.description}`);
  }
  return replies;
}
