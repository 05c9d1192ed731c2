/** What a backup has, in words. */
import type { RecordCounts } from '../shared/backup/records.ts';
import { countOf } from './table.ts';

export function countsText({ state, item, 'dead-letter': letters }: RecordCounts): string {
  return `${countOf(state, 'value')} of state, ${countOf(item, 'item')} of streams and ${countOf(letters, 'dead letter')}`;
}
