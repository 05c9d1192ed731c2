/** What one gateway takes upon itself for those who follow its realtime streams. */

export interface StreamLimits {
  /** Sockets and SSE responses at a time. Default 10,000. */
  clients: number;
  /** The same of one client address. Default: as many as there may be at all, since behind a proxy all have its address. */
  clientsPerAddress: number;
  /** What one socket may follow. Default 1,000. */
  subscriptions: number;
  /** Bytes of a message from a client. Default 64 KB. */
  messageBytes: number;
  /** Bytes that may wait for a client that reads slowly, before frames are left out and its groups told anew. Default 4 MB. */
  bufferedBytes: number;
  /** Characters of all items of a group that is followed as a whole, as JSON. Default 64 million. */
  groupSize: number;
  /** Ms between two signs of life that are asked of a client; one that gives none in between is cut off. Default 30 s. */
  pingMs: number;
  /** Changes that are told one by one to who resumes; after more than these the whole group is. Default 10,000. */
  replayed: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  clients: 10_000,
  clientsPerAddress: 10_000,
  subscriptions: 1_000,
  messageBytes: 64 * 1024,
  bufferedBytes: 4 * 1024 ** 2,
  groupSize: 64_000_000,
  pingMs: 30_000,
  replayed: 10_000,
};
