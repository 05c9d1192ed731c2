/** What a backup has, in words. */
import type { RecordCounts } from '../shared/backup/records.ts';

export function countsText({ state, item, 'dead-letter': letters }: RecordCounts): string {
  return `${count(state, 'value')} of state, ${count(item, 'item')} of streams and ${count(letters, 'dead letter')}`;
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
