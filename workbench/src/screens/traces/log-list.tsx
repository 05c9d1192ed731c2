/** What was logged, in the order of time; each record opens to all of its fields. */
import { useState } from 'react';
import { Link } from 'wouter';
import type { LogRecord } from '../../api/types.ts';
import { clockText } from '../../lib/time.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Empty } from '../../ui/states.tsx';
import styles from './log-list.module.css';

const TONES: Record<string, Tone> = { error: 'bad', warn: 'warn', info: 'run', debug: 'plain' };
/** More at each request. */
const MANY = 200;

interface Props {
  logs: readonly LogRecord[];
  /** Links to the span of a record; none where all are of one span. */
  spanHref?: (spanId: string) => string;
}

export function LogList({ logs, spanHref }: Props) {
  const [shown, setShown] = useState(MANY);
  if (logs.length === 0) {
    return (
      <Empty title="Nothing was logged">
        <p>
          What a handler tells its <code>logger</code>, or prints, is kept here with its trace.
        </p>
      </Empty>
    );
  }
  return (
    <ul className={styles.list}>
      {logs.slice(0, shown).map((log, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: records have no name of their own, and only come after each other
        <LogLine key={index} log={log} spanHref={spanHref} />
      ))}
      {logs.length > shown && (
        <li>
          <button type="button" className={styles.more} onClick={() => setShown(shown + MANY)}>
            {logs.length - shown} more
          </button>
        </li>
      )}
    </ul>
  );
}

function LogLine({ log, spanHref }: { log: LogRecord; spanHref: Props['spanHref'] }) {
  const [isOpen, setOpen] = useState(false);
  const { level, time, step, msg, spanId, traceId: _, flows: __, ...fields } = log;
  return (
    <li>
      <button type="button" className={styles.line} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <time dateTime={time} className={styles.time}>
          {clockText(new Date(time))}
        </time>
        <Badge tone={TONES[level] ?? 'plain'}>{level}</Badge>
        {spanHref && step !== undefined && <span className={styles.step}>{step}</span>}
        <span className={styles.text}>{msg}</span>
      </button>
      {isOpen && (
        <div className={styles.fields}>
          <JsonView value={fields} what="the fields" />
          {spanHref && spanId !== undefined && <Link href={spanHref(spanId)}>Show its span</Link>}
        </div>
      )}
    </li>
  );
}
