/** The log as a file: a JSON object on each line, the newest first. */
import type { Query } from '../../api/address.ts';
import { send } from '../../api/client.ts';

const PAGE = 1_000;
const MOST = 50_000;

/** Saves what fits these filters. @returns how many records, and whether there are more. @throws {ApiError} */
export async function exportLogs(query: Query, name: string): Promise<{ count: number; isCut: boolean }> {
  const parts: string[] = [];
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await send('/logs', { query: { ...query, format: 'jsonl', limit: PAGE, cursor } });
    const text = await page.text();
    parts.push(text);
    count += text.split('\n').length - 1;
    cursor = page.headers.get('x-next-cursor') ?? undefined;
  } while (cursor !== undefined && count < MOST);
  save(new Blob(parts, { type: 'application/x-ndjson' }), name);
  return { count, isCut: cursor !== undefined };
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
