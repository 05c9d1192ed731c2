/** Requests to the admin API: with the token, with what keeps other sites from making them, and with errors that say what to do. */
import { keptToken, refuseToken } from './token.ts';

export const API = '/__motia/api/v1';

export type Query = Record<string, string | number | boolean | undefined>;

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** What is `undefined` or empty is left out. */
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Instead of the one that is kept; when it is refused, nobody is sent to the login. */
  token?: string;
}

/** What the gateway answered instead, or that it did not. */
export class ApiError extends Error {
  /** 0 when there was no answer at all. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** @param path below the admin API, with `encodeURIComponent` around whatever varies. @throws {ApiError} */
export async function api<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(path, options);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

/** @returns the answer, whose status is that of success. @throws {ApiError} */
export async function send(path: string, options: RequestOptions): Promise<Response> {
  const { method = 'GET', query, body, signal, token: given = keptToken() } = options;
  const headers: Record<string, string> = { 'x-motia-request': '1' };
  if (given !== undefined) headers.authorization = `Bearer ${given}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(API + path + queryText(query), {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'The gateway does not answer. Is the app still running?');
  }
  if (response.ok) return response;
  if (response.status === 401 && options.token === undefined) refuseToken();
  throw new ApiError(response.status, await reasonOf(response));
}

/** With its `?`, or empty. */
export function queryText(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length > 0 ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {}
  return `The gateway answered ${response.status} ${response.statusText}`.trim();
}
