/** Requests to the app under test, and their answers in the form that users of supertest know. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** What a request may carry. */
export interface RequestOptions {
  /** An object or list is sent as JSON; text, bytes, `URLSearchParams`, `FormData` and `Blob` as they are. */
  body?: unknown;
  headers?: Record<string, string | string[]>;
  cookies?: Record<string, string>;
  /** Added to the path; a list repeats its name. */
  query?: Record<string, string | number | boolean | readonly (string | number | boolean)[]>;
}

/** The answer of a step. */
export interface TesterResponse<Body = unknown> {
  status: number;
  /** The same as `status`. */
  statusCode: number;
  /** The status is 200 to 299. */
  ok: boolean;
  /** Lower-cased names; `set-cookie` is a list. */
  headers: IncomingHttpHeaders;
  /** Parsed JSON; a `Buffer` of any type that is no text; `{}` otherwise. */
  body: Body;
  /** The body as text. */
  text: string;
}

export type ParseJson = (text: string) => unknown;

/** Sends requests to one app, and knows how many are under way. */
export class HttpClient {
  readonly #url: string;
  readonly #parse: ParseJson;
  readonly #agent = new Agent({ keepAlive: true });
  #inFlight = 0;

  constructor(url: string, parse: ParseJson) {
    this.#url = url;
    this.#parse = parse;
  }

  /** Requests that have no complete answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  async send(method: string, path: string, options: RequestOptions = {}): Promise<TesterResponse> {
    const { query, cookies, headers = {} } = options;
    const url = new URL(path, this.#url);
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
    }
    const { type, bytes } = await encode(options.body);
    const sent: Record<string, string | string[]> = {};
    if (type !== undefined) sent['content-type'] = type;
    if (bytes !== undefined) sent['content-length'] = String(bytes.length);
    if (cookies) sent.cookie = Object.entries(cookies).map(toCookie).join('; ');
    for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
    this.#inFlight++;
    try {
      return await this.#exchange(method, url, sent, bytes);
    } finally {
      this.#inFlight--;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #exchange(
    method: string,
    url: URL,
    headers: Record<string, string | string[]>,
    bytes: Buffer | undefined,
  ): Promise<TesterResponse> {
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.#agent }, (incoming) => {
        buffer(incoming).then(
          (received) => resolve(this.#read(incoming.statusCode ?? 0, incoming.headers, received)),
          reject,
        );
      });
      outgoing.on('error', reject);
      outgoing.end(bytes);
    });
  }

  #read(status: number, headers: IncomingHttpHeaders, bytes: Buffer): TesterResponse {
    const text = bytes.toString('utf8');
    const ok = status >= 200 && status < 300;
    return {
      status,
      statusCode: status,
      ok,
      headers,
      body: this.#bodyOf(headers['content-type'] ?? '', bytes, text),
      text,
    };
  }

  #bodyOf(type: string, bytes: Buffer, text: string): unknown {
    if (bytes.length === 0) return {};
    if (/^application\/(\S+\+)?json\b/i.test(type)) return this.#parse(text);
    return type === '' || /^text\//i.test(type) ? {} : bytes;
  }
}

async function encode(body: unknown): Promise<{ type?: string | undefined; bytes?: Buffer }> {
  if (body === undefined) return {};
  if (body instanceof Uint8Array) return { type: 'application/octet-stream', bytes: Buffer.from(body) };
  if (
    typeof body !== 'string' &&
    !(body instanceof URLSearchParams || body instanceof FormData || body instanceof Blob)
  ) {
    return { type: 'application/json', bytes: Buffer.from(JSON.stringify(body)) };
  }
  const encoded = new Response(body);
  return { type: encoded.headers.get('content-type') ?? undefined, bytes: Buffer.from(await encoded.arrayBuffer()) };
}

const toCookie = ([name, value]: [string, string]) => `${name}=${value}`;
