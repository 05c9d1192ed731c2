/** Calls at a steady rate, whatever becomes of those before: what an app's clients do while something of it is taken away. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  /** The name of the call. */
  kind: string;
  /** Unique over all calls of a load. */
  id: string;
  /** ms since 1970. */
  sentAt: number;
  answeredAt: number;
  /** `cut` without an answer. */
  status: number | 'cut';
  text: string;
}

/** Makes one call. */
export type Call = (id: string) => Promise<Response>;

export interface SteadyLoad {
  /** So far. */
  answers: readonly Answer[];
  /** Makes no more calls; resolves with the answers when those under way are answered. */
  stop(): Promise<readonly Answer[]>;
}

/** Makes one call after the other of `calls`, in turn, `perSecond` of them in a second. */
export function startLoad(calls: Record<string, Call>, perSecond: number): SteadyLoad {
  const answers: Answer[] = [];
  const underWay = new Set<Promise<void>>();
  const kinds = Object.entries(calls);
  let stopped = false;
  const one = async (kind: string, call: Call, id: string) => {
    const sentAt = Date.now();
    const { status, text } = await call(id)
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch((error) => ({ status: 'cut' as const, text: String((error as Error).cause ?? error) }));
    answers.push({ kind, id, sentAt, answeredAt: Date.now(), status, text });
  };
  const running = (async () => {
    const startedAt = performance.now();
    for (let n = 0; !stopped; n++) {
      await sleep(startedAt + (n * 1_000) / perSecond - performance.now());
      const [kind, call] = kinds[n % kinds.length] as [string, Call];
      const made = one(kind, call, `${kind}.${n}`).finally(() => underWay.delete(made));
      underWay.add(made);
    }
  })();
  return {
    answers,
    async stop() {
      stopped = true;
      await running;
      await Promise.all(underWay);
      return answers;
    },
  };
}

/** How often which status came for which kind of call: `{ 'look 200': 12 }`. */
export function countAnswers(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, status } of answers) counts[`${kind} ${status}`] = (counts[`${kind} ${status}`] ?? 0) + 1;
  return counts;
}

/** The longest time between two of these moments that has its end after `since`. */
export function longestGap(moments: readonly number[], since: number): number {
  const sorted = moments.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.slice(1).map((at, n) => (at < since ? 0 : at - (sorted[n] as number))));
}
