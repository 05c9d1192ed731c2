/** A WebSocket client that knows no more than the wire: sends what it is told, and keeps every frame. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { waitFor } from '../../helpers/wait-for.ts';

export interface Frame {
  timestamp: number;
  position?: string;
  streamName?: string;
  groupId?: string;
  id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: of every shape; the tests say which
  event: { type: string; data?: any; event?: { type: string; data: any } };
}

export interface Target {
  streamName: string;
  groupId: string;
  id?: string;
}

export interface RawClient extends Disposable {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  send(message: unknown): void;
  join(target: Target, more?: { resume?: string; subscriptionId?: string }): void;
  leave(target: Target, subscriptionId: string): void;
  /** Resolves with all frames once there are `count`. */
  waitFor(count: number, within?: number): Promise<Frame[]>;
  /** Resolves when all that the gateway had to say so far is here. */
  settled(): Promise<void>;
}

/** @param url of the gateway, with `http://`. */
export async function connectRaw(url: string, protocols?: string[], path = '/'): Promise<RawClient> {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols);
  const frames: Frame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  socket.on('error', () => {});
  await once(socket, 'open');
  const send = (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  const client: RawClient = {
    socket,
    frames,
    send,
    join: (target, more = {}) => send({ type: 'join', data: { ...target, subscriptionId: 's1', ...more } }),
    leave: (target, subscriptionId) => send({ type: 'leave', data: { ...target, subscriptionId } }),
    waitFor: (count, within = 15_000) =>
      waitFor(
        () => {
          if (frames.length < count) throw new Error(`${frames.length}: ${JSON.stringify(frames).slice(0, 2_000)}`);
          return frames;
        },
        { what: `${count} frames`, within },
      ),
    async settled() {
      // Messages are answered in their order: so is what is no message.
      const before = frames.filter(isComplaint).length;
      send('?');
      await waitFor(() => frames.filter(isComplaint).length > before, { what: 'the answer to no message' });
      for (let at = frames.length - 1; at >= 0; at--) if (isComplaint(frames[at] as Frame)) frames.splice(at, 1);
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
  return client;
}

const isComplaint = ({ event }: Frame) => event.event?.data?.code === 'STREAM_INVALID_MESSAGE';

/** What a frame says, without its time. */
export function told({ id, event }: Frame): unknown[] {
  if (event.type === 'event') return ['event', id, event.event?.type, event.event?.data];
  return event.data === undefined ? [event.type] : [event.type, ...(id === undefined ? [] : [id]), event.data];
}
