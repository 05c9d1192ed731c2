/** What is done with many dead letters. */
import { api } from '../../api/client.ts';
import type { RetriedLetters } from '../../api/types.ts';

/** Has all of them tried again, a thousand at a time. @param step empty: of all steps. @throws {ApiError} */
export async function retryAll(step: string): Promise<Pick<RetriedLetters, 'retried' | 'refused'>> {
  const all: Pick<RetriedLetters, 'retried' | 'refused'> = { retried: 0, refused: [] };
  let page: Partial<RetriedLetters> = {};
  do {
    const query = { step, after: page.next, until: page.until };
    page = await api<RetriedLetters>('/dead-letters/retry', { method: 'POST', query });
    all.retried += page.retried ?? 0;
    all.refused.push(...(page.refused ?? []));
  } while (page.next !== undefined);
  return all;
}

/** Throws all of them away. @throws {ApiError} */
export const purge = (step: string): Promise<{ purged: number }> =>
  api('/dead-letters', { method: 'DELETE', query: step === '' ? { all: true } : { step } });
