/** What has happened in a group since the page looks: changes of items, and what was sent. */
import { Radio } from 'lucide-react';
import { inLine } from '../../lib/json-text.ts';
import { clockText } from '../../lib/time.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Empty } from '../../ui/states.tsx';
import styles from './streams.module.css';
import type { LiveFeed } from './use-feed.ts';

const TONES: Record<string, Tone> = { create: 'ok', update: 'run', delete: 'bad' };

export function Happenings({ feed: { happenings, state, reason } }: { feed: LiveFeed }) {
  if (happenings.length === 0) {
    return (
      <Empty icon={Radio} title={state === 'off' ? 'Changes cannot be followed here' : 'Nothing has happened since'}>
        <p>
          {state === 'off'
            ? (reason ?? 'The group is too large to be followed whole.')
            : 'Changes of items, and what is sent, show up here as clients get them.'}
        </p>
      </Empty>
    );
  }
  return (
    <ol className={styles.happenings} aria-label="What has happened, the newest first">
      {happenings.map(({ number, at, what, isSent, id, data }) => (
        <li key={number}>
          <details>
            <summary>
              <time className={styles.time}>{clockText(new Date(at))}</time>
              <Badge tone={isSent ? 'accent' : (TONES[what] ?? 'plain')}>{what}</Badge>
              {id !== undefined && <span className={styles.id}>{id}</span>}
              <code className={styles.value}>{inLine(data)}</code>
            </summary>
            <JsonView value={data} what="the data" />
          </details>
        </li>
      ))}
    </ol>
  );
}
