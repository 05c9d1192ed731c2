/** Who may use the admin API: the one place that decides it. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface AdminAccess {
  /** Open without a token to programs and pages of this very machine: `motia dev`. */
  openOnLoopback: boolean;
  /** `MOTIA_ADMIN_TOKEN` */
  token?: string | undefined;
}

/** Who was let in: a holder of the token, or whoever is on this machine. */
export type Caller = 'token' | 'local';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Says that a program or our own page calls. */
const REQUEST_HEADER = 'x-motia-request';

export type AccessDecision = Caller | { status: 401 | 403 | 404; error: string };

const LOOPBACK_ADDRESS = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/;
const LOOPBACK_HOST = /^(([a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
/** Whoever asks came through a proxy, and is not the one at the other end of the connection. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** @param address of the other end of the connection. */
export function decideAccess(
  { openOnLoopback, token }: AdminAccess,
  method: string,
  headers: IncomingHttpHeaders,
  address: string | undefined,
): AccessDecision {
  if (token !== undefined && hasToken(headers.authorization, token)) return 'token';
  const refusal = openOnLoopback ? (refuseStranger(headers, address) ?? refuseForm(method, headers)) : 'Not found';
  if (refusal === undefined) return 'local';
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

/** Whoever has no token says what no form can say, and no page of another site without asking first. */
function refuseForm(method: string, headers: IncomingHttpHeaders): string | undefined {
  if (READS.has(method) || headers[REQUEST_HEADER] !== undefined) return undefined;
  if (/^application\/json\b/i.test(headers['content-type'] ?? '')) return undefined;
  return `What changes something needs content-type: application/json, or ${REQUEST_HEADER}: 1`;
}

/** Takes the same time whatever the two have in common. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

const digest = (text: string) => createHash('sha256').update(text).digest();
