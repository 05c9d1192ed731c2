/** How far a client has come in what is stored: the opaque text that it resumes with, on whichever gateway. Pure. */
import { createHash } from 'node:crypto';

export interface Position {
  /** Which store of items, and which one of what was sent: one that is made anew counts anew. */
  store: string;
  sentStore: string;
  /** Sequences of what the client has had last. */
  items: number;
  sent: number;
  /** By the broker's clock, in ms since 1970: the client has everything that was stored before. */
  time: number;
}

const POSITION = /^([\w-]{8})\.(\d{1,16})\.([\w-]{8})\.(\d{1,16})\.(\d{1,16})$/;

export function writePosition({ store, items, sentStore, sent, time }: Position): string {
  return `${store}.${items}.${sentStore}.${sent}.${Math.floor(time)}`;
}

/** @returns `undefined` for what is none. */
export function readPosition(text: string): Position | undefined {
  const [, store, items, sentStore, sent, time] = POSITION.exec(text) ?? [];
  if (store === undefined || sentStore === undefined) return undefined;
  return { store, items: Number(items), sentStore, sent: Number(sent), time: Number(time) };
}

/** The later of two positions in the same stores. */
export const laterOf = (a: Position, b: Pick<Position, 'items' | 'sent'>): Position => ({
  ...a,
  items: Math.max(a.items, b.items),
  sent: Math.max(a.sent, b.sent),
});

/** A short name of a broker stream, by when it was made. */
export const storeName = (incarnation: string): string =>
  createHash('sha256').update(incarnation).digest('base64url').slice(0, 8);
