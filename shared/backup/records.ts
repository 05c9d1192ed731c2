/** What a backup of an app is made of. */

/** A value of state, or an item of a realtime stream, with the key and the fields that its entry has. */
export interface EntryRecord {
  kind: 'state' | 'item';
  /** Key of the entry in its bucket. */
  key: string;
  /** Header `Motia-Names` of the entry, if its key does not say them. */
  names?: string;
  /** When it goes by itself, ms since 1970. */
  expiresAt?: number;
  /** The value, as the text that is stored: to read it as JSON would cost large numbers their last digits. */
  json: string;
}

export interface DeadLetterRecord {
  kind: 'dead-letter';
  /** Id of the step that it died in. */
  step: string;
  /** Of its message; the broker's own are left out, but for the message id. */
  headers: Record<string, string>;
  /** The payload in base64, wherever it was stored. */
  data: string;
  /** Ms since 1970. */
  diedAt: number;
}

export type BackupRecord = EntryRecord | DeadLetterRecord;

/** How many there are of each kind. */
export type RecordCounts = Record<BackupRecord['kind'], number>;

export const noRecords = (): RecordCounts => ({ state: 0, item: 0, 'dead-letter': 0 });
