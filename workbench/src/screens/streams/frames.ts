/** What frames of a stream make of the items of a group, and what there is to tell of each. Pure. */
import type { StreamItem } from '../../api/types.ts';

/** As clients of realtime streams get them. */
export interface Frame {
  /** Ms since 1970. */
  timestamp: number;
  streamName: string;
  groupId: string;
  id?: string;
  event:
    | { type: 'sync'; data: StreamItem[] | StreamItem | null }
    | { type: 'create' | 'update' | 'delete'; data: StreamItem }
    | { type: 'event'; event: { type: string; data?: unknown } };
}

/** Something that happened, for people. */
export interface Happening {
  /** Counts up. */
  number: number;
  at: number;
  /** What happened: `create`, `update`, `delete`, or the type of what was sent. */
  what: string;
  /** Sent, and not kept. */
  isSent: boolean;
  id?: string | undefined;
  data: unknown;
}

export interface Feed {
  /** By id, the oldest first. */
  items: ReadonlyMap<string, StreamItem>;
  /** The newest first. */
  happenings: readonly Happening[];
}

export const EMPTY: Feed = { items: new Map(), happenings: [] };
const KEPT = 500;

export function applyFrames(feed: Feed, frames: readonly Frame[]): Feed {
  const items = new Map(feed.items);
  const happenings = [...feed.happenings];
  let number = happenings[0]?.number ?? 0;
  for (const { event, id, timestamp } of frames) {
    if (event.type === 'sync') {
      items.clear();
      for (const item of [event.data ?? []].flat()) items.set(item.id, item);
      continue;
    }
    if (event.type === 'delete') items.delete(event.data.id);
    else if (event.type !== 'event') items.set(event.data.id, event.data);
    const isSent = event.type === 'event';
    const [what, data] = isSent ? [event.event.type, event.event.data] : [event.type, event.data];
    happenings.unshift({ number: ++number, at: timestamp, what, isSent, id: isSent ? id : event.data.id, data });
  }
  return { items, happenings: happenings.slice(0, KEPT) };
}
