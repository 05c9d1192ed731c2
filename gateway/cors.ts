/** The answers to the questions browsers ask before they let a page of another origin read a response (CORS). */
import type { IncomingHttpHeaders } from 'node:http';

/** Origins that may read responses: all (`'*'`), the listed ones, or, with an empty list, none. */
export type AllowedOrigins = '*' | readonly string[];

/** What a preflight request asks for, as sent. */
export interface PreflightRequest {
  origin: string | undefined;
  /** `access-control-request-headers` */
  headers: string | undefined;
  /** `access-control-request-private-network` */
  privateNetwork: string | undefined;
}

/** What the headers of a preflight request say. */
export const toPreflight = (headers: IncomingHttpHeaders): PreflightRequest => ({
  origin: headers.origin,
  headers: headers['access-control-request-headers'],
  privateNetwork: headers['access-control-request-private-network'] as string | undefined,
});

const PREFLIGHT_MAX_AGE_SECONDS = '600';

/** CORS headers of any response but a preflight's. `vary` has to be merged with one that the response has already. */
export function corsHeaders(origins: AllowedOrigins, requestOrigin: string | undefined): Record<string, string> {
  // Credentials stay off: browsers reject them together with the wildcard.
  if (origins === '*') return { 'access-control-allow-origin': '*' };
  if (origins.length === 0) return {};
  if (requestOrigin === undefined || !origins.includes(requestOrigin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': requestOrigin,
    'access-control-allow-credentials': 'true',
    vary: 'origin',
  };
}

/** Headers of the answer to a preflight request; `methods` are those of the requested path. */
export function preflightHeaders(
  origins: AllowedOrigins,
  request: PreflightRequest,
  methods: readonly string[],
): Record<string, string> {
  const headers = corsHeaders(origins, request.origin);
  if (!('access-control-allow-origin' in headers)) return headers;
  headers['access-control-allow-methods'] = methods.join(', ');
  headers['access-control-max-age'] = PREFLIGHT_MAX_AGE_SECONDS;
  if (request.headers) headers['access-control-allow-headers'] = request.headers;
  if (request.privateNetwork === 'true') headers['access-control-allow-private-network'] = 'true';
  return headers;
}
