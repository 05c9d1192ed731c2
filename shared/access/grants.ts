/**
 * What it takes on the broker to do one thing with one stream, bucket or consumer. Most requests to JetStream name the stream in their subject, but
 * what they ask of that stream in their body: so whoever may read, purge or follow a stream may do so with all of it.
 */
import type { Source } from '../broker/consumers.ts';
import type { Permissions } from './permissions.ts';

type Grant = Partial<Permissions>;

const api = (request: string) => `$JS.API.${request}`;

export const keyValueStream = (bucket: string): string => `KV_${bucket}`;
export const objectStream = (bucket: string): string => `OBJ_${bucket}`;

/** Everything that is stored, one message or many at a time, and how much that is. */
export const read = (stream: string): Grant => ({
  publish: [
    api(`DIRECT.GET.${stream}`),
    api(`DIRECT.GET.${stream}.>`),
    api(`STREAM.MSG.GET.${stream}`),
    api(`STREAM.INFO.${stream}`),
  ],
});

/** How much is stored, under which subjects; nothing of what. */
export const inspect = (stream: string): Grant => ({ publish: [api(`STREAM.INFO.${stream}`)] });

export const purge = (stream: string): Grant => ({ publish: [api(`STREAM.PURGE.${stream}`)] });

export const removeMessages = (stream: string): Grant => ({ publish: [api(`STREAM.MSG.DELETE.${stream}`)] });

/** What is stored from now on, by a consumer of one's own. */
export const follow = (stream: string): Grant => ({
  publish: [
    api(`STREAM.INFO.${stream}`),
    api(`CONSUMER.CREATE.${stream}.>`),
    api(`CONSUMER.INFO.${stream}.*`),
    api(`CONSUMER.DELETE.${stream}.*`),
    `$JS.FC.${stream}.>`,
  ],
});

/** The work that waits in a durable consumer. */
export const take = ({ stream, durable }: Pick<Source, 'stream' | 'durable'>): Grant => ({
  publish: [
    api(`CONSUMER.INFO.${stream}.${durable}`),
    api(`CONSUMER.MSG.NEXT.${stream}.${durable}`),
    `$JS.ACK.${stream}.${durable}.>`,
  ],
});

/** Which consumers there are, and what waits in them. */
export const inspectConsumers = (stream: string): Grant => ({
  publish: [api(`CONSUMER.LIST.${stream}`), api(`CONSUMER.NAMES.${stream}`), api(`CONSUMER.INFO.${stream}.*`)],
});

export const publish = (...subjects: string[]): Grant => ({ publish: subjects });

/** Entries of a bucket whose keys match. */
export const write = (bucket: string, ...keys: string[]): Grant => ({
  publish: [...keys, ASKED].map((key) => `$KV.${bucket}.${key}`),
});

/** To read, write and remove entries whose keys match, and no others: each of these requests names them in its subject. */
export function ownEntries(bucket: string, keys: string): Grant {
  const stream = keyValueStream(bucket);
  return {
    publish: [
      api(`DIRECT.GET.${stream}.$KV.${bucket}.${keys}`),
      api(`CONSUMER.CREATE.${stream}.*.$KV.${bucket}.${keys}`),
      // Only who has made such a consumer knows its random name.
      ...['MSG.NEXT', 'DELETE'].map((action) => api(`CONSUMER.${action}.${stream}.*`)),
      ...[keys, ASKED].map((each) => `$KV.${bucket}.${each}`),
    ],
  };
}

/** Where a write asks whether an earlier try was stored. */
const ASKED = '=asked.*';

export const readBucket = (bucket: string): Grant => read(keyValueStream(bucket));

export const readObjects = (bucket: string): Grant => read(objectStream(bucket));

/** New objects. */
export const addObjects = (bucket: string): Grant => ({
  publish: [api(`STREAM.INFO.${objectStream(bucket)}`), `$O.${bucket}.C.>`, `$O.${bucket}.M.>`],
});
