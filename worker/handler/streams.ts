/** Realtime streams as one run sees them; their contract is `MotiaStream` in `shared/types.ts`. */
import type { StreamStore } from '../../shared/broker/streams.ts';
import { MotiaError } from '../../shared/errors.ts';
import { toName } from '../../shared/json-values.ts';
import type { Tracing } from '../../shared/tracing.ts';
import type { FlowContextStateStreams, MotiaStream, StreamItem } from '../../shared/types.ts';
import type { ActiveRun } from './active-run.ts';
import { operate, toValueChange } from './operation.ts';
import type { StreamNames } from './stream-names.ts';

export interface StreamServices {
  streams: () => StreamStore | Promise<StreamStore>;
  streamNames: StreamNames;
  tracing: Tracing;
}

/** Any stream by any name: whether there is one is seen when an operation on it is called. */
export function createStreams(run: ActiveRun, services: StreamServices): FlowContextStateStreams {
  return new Proxy({} as FlowContextStateStreams, {
    get: (_, name) => (typeof name === 'symbol' ? undefined : createStream(run, services, name)),
  });
}

function createStream(
  run: ActiveRun,
  { streams, streamNames, tracing }: StreamServices,
  stream: string,
): MotiaStream<Record<string, unknown>> {
  const have = <T>(
    name: string,
    [group, id]: [group: string, id?: string | undefined],
    operation: (store: StreamStore) => Promise<T>,
  ) =>
    operate(
      run,
      tracing,
      ['stream', name],
      () => ({
        'motia.stream': stream,
        'motia.stream.group': group,
        ...(id !== undefined && { 'motia.stream.id': id }),
      }),
      async () => {
        await streamNames.check(stream);
        return operation(await streams());
      },
    );
  return {
    get: async (groupId, id) => {
      const [g, i] = [toText(groupId), toText(id)];
      return have('get', [g, i], (store) => store.get(stream, g, i));
    },
    set: async (groupId, id, item) => {
      const [g, i] = [toText(groupId), toText(id)];
      return have('set', [g, i], (store) => store.set(stream, g, i, item));
    },
    update: async (groupId, id, change) => {
      const [g, i] = [toText(groupId), toText(id)];
      const next = toValueChange(run, change);
      return have('update', [g, i], (store) => store.update(stream, g, i, next));
    },
    delete: async (groupId, id) => {
      const [g, i] = [toText(groupId), toText(id)];
      return have('delete', [g, i], (store) => store.delete(stream, g, i));
    },
    getGroup: async (groupId): Promise<StreamItem[]> => {
      const g = toText(groupId);
      return have('getGroup', [g], (store) => store.getGroup(stream, g));
    },
    send: async (channel, event) => {
      const [g, i] = toChannel(channel);
      return have('send', [g, i], (store) => store.send(stream, g, i, event ?? {}));
    },
  };
}

/** Group, and id if only one item is meant. */
function toChannel(channel: unknown): [group: string, id: string | undefined] {
  if (typeof channel !== 'object' || channel === null) {
    throw new MotiaError('INVALID_VALUE', 'send() needs a channel { groupId, id? } and an event { type, data }');
  }
  const { groupId, id } = channel as { groupId?: unknown; id?: unknown };
  return [toText(groupId), id === undefined || id === null ? undefined : toText(id)];
}

const toText = (name: unknown) => toName(name, 'groups and ids of streams');
