/** HTTP as it is on the wire, for what `fetch` hides or refuses to send. */
import { EventEmitter, once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface HttpRequest {
  method?: string;
  /** A list sends the header several times. */
  headers?: OutgoingHttpHeaders;
  body?: string | Uint8Array;
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  text: string;
  /** The body as JSON; throws when it is not. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape; the tests say which
  json(): any;
}

const DEADLINE_MS = 30_000;

/** One request on a connection of its own. The path is sent as it is in `url`. */
export async function send(
  url: string,
  { method = 'GET', headers = {}, body }: HttpRequest = {},
): Promise<HttpResponse> {
  const { hostname, port, origin } = new URL(url);
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const hasLength = body !== undefined && !('transfer-encoding' in headers);
  const length = hasLength ? { 'content-length': Buffer.byteLength(body) } : {};
  const path = url.slice(origin.length) || '/';
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      hostname,
      port,
      path,
      method,
      headers: { ...length, ...headers },
      agent: false,
      signal,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        resolve({
          status: response.statusCode as number,
          headers: response.headers,
          body: bytes,
          text,
          json: () => JSON.parse(text),
        });
      });
    });
    request.end(body);
  });
}

/** Opens a connection and writes bytes that need not be HTTP. */
export async function openSocket(url: string, bytes: string | Uint8Array): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined); // the server may reset it at any time
  socket.write(bytes);
  return socket;
}

/** Writes bytes and gives all that comes back until the server closes the connection, or `within` ms are over. */
export async function exchange(url: string, bytes: string | Uint8Array, within = 5_000): Promise<string> {
  const socket = await openSocket(url, bytes);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  const late = setTimeout(() => socket.destroy(), within);
  await once(socket, 'close');
  clearTimeout(late);
  return text;
}

/** An answer as it comes. */
export interface StreamedResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** What has come so far. */
  text(): string;
  /** Resolves when what has come so far contains this. */
  until(part: string): Promise<void>;
  /** Takes nothing more for the time being. */
  pause(): void;
  resume(): void;
  /** Hangs up. */
  leave(): void;
  /** Resolves with all of the body, and whether the server has said that it is all. */
  ended: Promise<{ body: Buffer; complete: boolean }>;
}

/** One request on a connection of its own; resolves as soon as the head of the answer is there. */
export async function openStream(
  url: string,
  { method = 'GET', headers = {}, body }: HttpRequest = {},
): Promise<StreamedResponse> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      const text = () => Buffer.concat(chunks).toString();
      const changes = new EventEmitter();
      response.on('error', () => {}); // whether it is complete is told by its end
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        changes.emit('change');
      });
      const ended = new Promise<Awaited<StreamedResponse['ended']>>((resolveEnded) => {
        response.on('close', () => {
          changes.emit('change');
          resolveEnded({ body: Buffer.concat(chunks), complete: response.complete });
        });
      });
      resolve({
        status: response.statusCode as number,
        headers: response.headers,
        text,
        async until(part) {
          const signal = AbortSignal.timeout(DEADLINE_MS);
          while (!text().includes(part)) {
            if (response.closed) throw new Error(`"${part}" did not come, but only: ${text()}`);
            await once(changes, 'change', { signal });
          }
        },
        pause: () => void response.pause(),
        resume: () => void response.resume(),
        leave: () => void response.destroy(),
        ended,
      });
    });
    request.end(body);
  });
}
