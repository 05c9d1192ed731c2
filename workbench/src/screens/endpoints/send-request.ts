/** Sends a request to the app as any client would, and tells of the answer while it comes. */
import type { RequestParts } from './draft.ts';

export interface Answer {
  status: number;
  statusText: string;
  headers: [name: string, value: string][];
  contentType: string;
  /** What has come so far, if it is text. */
  text: string;
  /** The whole, once it has come, if it is no text. */
  blob?: Blob;
  bytes: number;
  /** Ms until the head, and until now. */
  firstMs: number;
  ms: number;
  isDone: boolean;
  /** It was broken off. */
  error?: string;
}

const TEXT = /^(text\/|application\/(.*\+)?(json|xml|javascript|x-ndjson|x-www-form-urlencoded))/;
/** Longer texts are not shown whole. */
export const LONGEST_TEXT = 2_000_000;
/** At most so often is told what has come. */
const TELL_MS = 50;

/**
 * @param onAnswer told of the head, of what comes, and of the end.
 * @throws Error when there is no answer at all.
 */
export async function sendRequest(
  { method, url, headers, body }: RequestParts,
  traceparent: string,
  signal: AbortSignal,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const began = performance.now();
  const since = () => performance.now() - began;
  const response = await fetch(url, {
    method,
    headers: [...headers, ['traceparent', traceparent]],
    signal,
    ...(body !== undefined && { body }),
  });
  const contentType = response.headers.get('content-type') ?? '';
  const isText = contentType === '' || TEXT.test(contentType);
  const firstMs = since();
  let answer: Answer = {
    ...{ status: response.status, statusText: response.statusText, headers: [...response.headers], contentType },
    ...{ text: '', bytes: 0, firstMs, ms: firstMs, isDone: false },
  };
  const tell = (changes: Partial<Answer>) => {
    answer = { ...answer, ...changes, ms: since() };
    onAnswer(answer);
  };
  tell({});
  try {
    if (isText) await readText(response, tell);
    else {
      const blob = await response.blob();
      tell({ blob, bytes: blob.size });
    }
    tell({ isDone: true });
  } catch (error) {
    tell({
      isDone: true,
      error: signal.aborted ? 'You cancelled it' : `It was broken off: ${(error as Error).message}`,
    });
  }
}

async function readText({ body }: Response, tell: (changes: Partial<Answer>) => void): Promise<void> {
  if (!body) return;
  const decoder = new TextDecoder();
  let [text, bytes, told] = ['', 0, 0];
  for (const reader = body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (text.length < LONGEST_TEXT) text += decoder.decode(value, { stream: true });
    if (performance.now() - told < TELL_MS) continue;
    told = performance.now();
    tell({ text, bytes });
  }
  tell({ text, bytes });
}
