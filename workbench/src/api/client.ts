/** Requests to the admin API: with the token, with what keeps other sites from making them, and with errors that say what to do. */
import { API, headersWith, keptToken, type Query, queryText } from './address.ts';
import { takeFirstAnswer } from './first-answers.ts';
import { refuseToken } from './token.ts';

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
  const url = API + path + queryText(query);
  const headers = headersWith(given);
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    const first = method === 'GET' && options.token === undefined ? takeFirstAnswer(url) : undefined;
    response = await (first ??
      fetch(url, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      }));
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'The gateway does not answer. Is the app still running?');
  }
  if (response.ok) return response;
  if (response.status === 401 && options.token === undefined) refuseToken();
  throw new ApiError(response.status, await reasonOf(response));
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {}
  return `The gateway answered ${response.status} ${response.statusText}`.trim();
}
