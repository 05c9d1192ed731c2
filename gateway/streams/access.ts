/** What the hub of realtime streams asks before it tells a client anything. */

export interface StreamAccess {
  /** What `streamAuth.authenticate` makes of an upgrade or SSE request; `null` without one. @throws {AccessRefused} */
  authenticate(request: { headers: Record<string, string | string[] | undefined>; url: string }): Promise<unknown>;
  /** Whether a client may follow this group or item. Never throws: what cannot be decided is denied. */
  canAccess(stream: string, subscription: { groupId: string; id?: string }, authContext: unknown): Promise<boolean>;
}

/** The client is not who may connect. */
export class AccessRefused extends Error {}
