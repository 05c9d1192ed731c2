/** What client and server say to each other, as JSON in text frames of a WebSocket. */

/** What a custom event of a stream has, as handlers `send` it. */
export interface CustomEvent {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the sender gave
  data: any;
}

/** An item of a stream. What comes from a server has more, of the shape of the stream's schema. */
export interface Item {
  id: string;
}

/** What has happened to an item or a group. `sync` has all that there is now. */
export type StreamEvent =
  | { type: 'sync'; data: Item[] | Item | null }
  | { type: 'create' | 'update' | 'delete'; data: Item | null }
  | { type: 'event'; event: CustomEvent }
  | { type: 'resumed' };

export interface Frame {
  streamName: string;
  groupId: string;
  /** The item that this is about; without one, the group as a whole. */
  id?: string;
  /** Where in the group's history this is. Servers that cannot resume send none. */
  position?: string;
  event: StreamEvent;
}

/** What is joined or left. */
export interface Join {
  streamName: string;
  groupId: string;
  /** The one item that is followed; without one, the whole group. */
  id?: string;
  subscriptionId: string;
}

/** @param resume the position of the last frame that was had; `''` for one who begins. */
export const joinMessage = (join: Join, resume: string) => JSON.stringify({ type: 'join', data: { ...join, resume } });

export const leaveMessage = (join: Join) => JSON.stringify({ type: 'leave', data: join });

/** @returns `undefined` for what is no frame of a stream: a newer server may send more than this client knows. */
export function readFrame(text: unknown): Frame | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const frame = JSON.parse(text) as Frame | null;
    const isFrame = typeof frame?.streamName === 'string' && typeof frame.groupId === 'string';
    return isFrame && typeof frame.event?.type === 'string' ? frame : undefined;
  } catch {
    return undefined;
  }
}
