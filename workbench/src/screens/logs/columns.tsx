/** The columns of the log. */
import { ListFilter } from 'lucide-react';
import type { LogRecord } from '../../api/types.ts';
import { clockText, exactText } from '../../lib/time.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { IconButton } from '../../ui/button.tsx';
import type { Column } from '../../ui/table.tsx';
import { errorOf, fieldsOf, type LogEntry } from './log-entry.ts';
import styles from './logs.module.css';

export const LEVEL_TONES: Record<string, Tone> = { debug: 'plain', info: 'run', warn: 'warn', error: 'bad' };

/** Fields that a row has room for. */
const SHOWN_FIELDS = 4;
const LONGEST_FIELD = 60;

/** @param onTrace narrows the log to one trace. */
export function columnsOf(onTrace: (traceId: string) => void): readonly Column<LogEntry>[] {
  return [
    {
      id: 'time',
      title: 'Time',
      width: '118px',
      cell: ({ record: { time } }, index) => (
        <time dateTime={time} title={exactText(new Date(time))} className={styles.time} data-testid={`time-${index}`}>
          {clockText(new Date(time))}
        </time>
      ),
    },
    {
      id: 'level',
      title: 'Level',
      width: '68px',
      cell: ({ record: { level } }) => (
        <Badge tone={LEVEL_TONES[level] ?? 'plain'} dot>
          {level}
        </Badge>
      ),
    },
    {
      id: 'step',
      title: 'Step',
      width: 'minmax(90px, 160px)',
      cell: ({ record: { step } }, index) => (
        <span data-testid={`step-${index}`} className={styles.step}>
          {step ?? <span className={styles.quiet}>system</span>}
        </span>
      ),
    },
    {
      id: 'message',
      title: 'Message',
      width: 'minmax(200px, 1fr)',
      cell: ({ record }, index) => <Message record={record} index={index} />,
    },
    {
      id: 'trace',
      title: 'Trace',
      width: '118px',
      cell: ({ record: { traceId } }) =>
        traceId !== undefined && (
          <span className={styles.trace}>
            <code>{traceId.slice(-8)}</code>
            <IconButton
              label="Only this trace"
              icon={ListFilter}
              onClick={() => onTrace(traceId)}
              data-testid={`trace-filter-${traceId}`}
            />
          </span>
        ),
    },
  ];
}

function Message({ record, index }: { record: LogRecord; index: number }) {
  const reason = errorOf(record)?.message;
  return (
    <span className={styles.message} data-testid={`msg-${index}`}>
      {record.msg}
      {reason && !record.msg.includes(reason) && <span className={styles.reason}>{reason}</span>}
      {fieldsOf(record)
        .slice(0, SHOWN_FIELDS)
        .map(([name, value]) => (
          <span key={name} className={styles.field}>
            {name}=<span>{textOf(value)}</span>
          </span>
        ))}
    </span>
  );
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length <= LONGEST_FIELD ? text : `${text.slice(0, LONGEST_FIELD)}…`;
}
