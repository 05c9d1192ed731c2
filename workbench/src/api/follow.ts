/** Server-sent events, read by `fetch`, since an `EventSource` cannot send the token. Connects again when it was cut off. */
import type { Query } from './address.ts';
import { send } from './client.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

export interface FollowOptions<Message> {
  onMessage: (message: Message) => void;
  /** Whether it is connected now; the error is why it is not. */
  onState?: (isOpen: boolean, error?: Error) => void;
}

interface ApiFollowOptions<Message> extends FollowOptions<Message> {
  /** A function is asked anew for each connection: where to go on, for example. */
  query?: Query | (() => Query);
}

/** Follows a path of the admin API until the function that is returned is called. */
export function follow<Message>(path: string, { query = {}, ...options }: ApiFollowOptions<Message>): () => void {
  return followBy((signal) => send(path, { query: typeof query === 'function' ? query() : query, signal }), options);
}

/** The same for what is no path of the admin API. @param open connects; what it throws is told, and tried again. */
export function followBy<Message>(
  open: (signal: AbortSignal) => Promise<Response>,
  { onMessage, onState }: FollowOptions<Message>,
): () => void {
  const ended = new AbortController();
  void (async () => {
    let wait = FIRST_WAIT_MS;
    while (!ended.signal.aborted) {
      let error: Error | undefined;
      try {
        const { body } = await open(ended.signal);
        onState?.(true);
        wait = FIRST_WAIT_MS;
        if (body) for await (const data of eventsOf(body)) onMessage(JSON.parse(data) as Message);
      } catch (thrown) {
        error = thrown as Error;
      }
      if (ended.signal.aborted) return;
      onState?.(false, error);
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  })();
  return () => ended.abort();
}

/** The `data` of each event. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const lines = block.split(/\r?\n/).filter((line) => line.startsWith('data:'));
        if (lines.length > 0) yield lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n');
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
