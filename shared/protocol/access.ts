/** Questions about who may follow a stream, and their answers: the JSON bodies of calls whose ids no step has. */

/** Step names do not begin with it. */
export const RESERVED_MARK = '=';

/** Calls `authenticate` of `streamAuth`. Answered with status 200, or 401 for a client that is refused. */
export const STREAM_AUTH_ID = '=streamAuth';

/** Calls `canAccess` of a stream. */
export const canAccessId = (stream: string): string => `=canAccess:${stream}`;

/** A request of a client that wants to follow streams, as it came. */
export interface AuthQuestion {
  headers: Record<string, string | string[] | undefined>;
  /** Path and query. */
  url: string;
}

export interface AuthAnswer {
  /** What is known of the client; `null` for nothing. */
  context: unknown;
}

/** Bytes of a context as JSON: it comes along with every question about its client. */
export const LARGEST_CONTEXT = 64 * 1024;

export interface AccessQuestion {
  /** A group, or one item of it. */
  subscription: { groupId: string; id?: string };
  /** What `authenticate` has answered. */
  authContext: unknown;
}

export interface AccessAnswer {
  allowed: boolean;
}
