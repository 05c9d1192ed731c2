/** Orderly ends: what was opened is closed in reverse, in bounded time, when a signal says so. */

export type Close = () => Promise<unknown> | unknown;

/** The closers of a process or of a part of it. */
export class Lifecycle {
  readonly #closers: { name: string; close: Close; deadlineMs: number }[] = [];
  #closing: Promise<Error[]> | undefined;

  /**
   * Registers what has to be closed; the one registered last is closed first. What is registered while or after the rest is
   * closed is closed as well.
   */
  defer(name: string, close: Close, deadlineMs = 10_000): void {
    this.#closers.push({ name, close, deadlineMs });
    if (this.#closing) this.#closing = this.#closing.then(async (errors) => [...errors, ...(await this.#closeAll())]);
  }

  /** Closes everything once, one after the other. Never rejects: resolves with what went wrong. */
  close(): Promise<Error[]> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<Error[]> {
    const errors: Error[] = [];
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      const { name, close, deadlineMs } = closer;
      try {
        await withDeadline(close, deadlineMs);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        errors.push(new Error(`closing ${name}: ${reason}`, { cause }));
      }
    }
    return errors;
  }
}

async function withDeadline(close: Close, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    await Promise.race([close(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** One Ctrl-C reaches a program under `npm run` twice: from the terminal, and forwarded by npm. */
const SAME_REQUEST_MS = 250;

/**
 * Calls `handler` once: at the first SIGTERM, SIGINT or SIGHUP, or when the parent process that holds our IPC channel is
 * gone. A second signal ends the process at once with exit code 1.
 *
 * @returns a function that takes the wiring back.
 */
export function onShutdown(handler: (reason: string) => void): () => void {
  let askedAt: number | undefined;
  const ask = (reason: string) => {
    askedAt = performance.now();
    handler(reason);
  };
  const onSignal = (signal: string) => {
    if (askedAt === undefined) ask(signal);
    else if (performance.now() - askedAt > SAME_REQUEST_MS) process.exit(1);
  };
  const onOrphaned = () => {
    if (askedAt === undefined) ask('parent process gone');
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('disconnect', onOrphaned);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off('disconnect', onOrphaned);
  };
}
