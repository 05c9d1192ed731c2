/** Who may use the admin API: the one place that decides it. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface AdminAccess {
  /** Open without a token to programs and pages of this very machine: `motia dev`. */
  openOnLoopback: boolean;
  /** `MOTIA_ADMIN_TOKEN` */
  token?: string | undefined;
}

export type AccessDecision = 'granted' | { status: 401 | 403 | 404; error: string };

const LOOPBACK_ADDRESS = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/;
const LOOPBACK_HOST = /^(([a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
/** Whoever asks came through a proxy, and is not the one at the other end of the connection. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** @param address of the other end of the connection. */
export function decideAccess(
  { openOnLoopback, token }: AdminAccess,
  headers: IncomingHttpHeaders,
  address: string | undefined,
): AccessDecision {
  if (token !== undefined && hasToken(headers.authorization, token)) return 'granted';
  const refusal = openOnLoopback ? refuseStranger(headers, address) : 'Not found';
  if (refusal === undefined) return 'granted';
  if (token !== undefined) return { status: 401, error: 'The admin API needs the bearer token of MOTIA_ADMIN_TOKEN' };
  return { status: openOnLoopback ? 403 : 404, error: refusal };
}

function refuseStranger(headers: IncomingHttpHeaders, address: string | undefined): string | undefined {
  const { host = '', origin } = headers;
  const isLocal = LOOPBACK_ADDRESS.test(address ?? '') && !PROXY_HEADERS.some((name) => headers[name] !== undefined);
  if (!isLocal) return 'Without MOTIA_ADMIN_TOKEN the admin API is open to this machine only';
  // A page of another site may have its own name lead to this machine, and be taken for ours by the browser.
  if (!LOOPBACK_HOST.test(host)) return 'The admin API is to be called as localhost';
  const site = headers['sec-fetch-site'];
  const isOwnOrigin = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  const isOwnSite = site === undefined || site === 'same-origin' || site === 'none';
  return isOwnOrigin && isOwnSite ? undefined : 'The admin API is not open to pages of other origins';
}

/** Takes the same time whatever the two have in common. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

const digest = (text: string) => createHash('sha256').update(text).digest();
