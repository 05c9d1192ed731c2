/** The columns of the list of traces. */
import type { TraceStatus, TraceSummary } from '../../api/types.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Hidden } from '../../ui/hidden.tsx';
import type { Column } from '../../ui/table.tsx';
import { Duration, Time } from '../../ui/text.tsx';
import styles from './traces.module.css';

export const STATUS_TONES: Record<TraceStatus, Tone> = { failed: 'bad', running: 'run', completed: 'ok' };

export const COLUMNS: readonly Column<TraceSummary>[] = [
  {
    id: 'name',
    title: 'Trace',
    width: 'minmax(150px, 1.4fr)',
    cell: ({ name, status }) => (
      <span className={styles.name}>
        <Badge tone={STATUS_TONES[status]} dot>
          <Hidden>{status}</Hidden>
        </Badge>
        <span>{name}</span>
      </span>
    ),
  },
  {
    id: 'steps',
    from: 560,
    title: 'Steps',
    width: 'minmax(140px, 2fr)',
    cell: ({ steps, error }) =>
      error === undefined ? (
        <span className={styles.quiet}>{steps.join(' › ')}</span>
      ) : (
        <span className={styles.error} title={error}>
          {error}
        </span>
      ),
  },
  {
    id: 'id',
    from: 820,
    title: 'Id',
    width: '104px',
    cell: ({ traceId }) => (
      <code className={styles.quiet} title={traceId}>
        {traceId}
      </code>
    ),
  },
  { id: 'spans', from: 640, title: 'Spans', width: '64px', align: 'right', cell: ({ spans }) => spans },
  {
    id: 'duration',
    title: 'Duration',
    width: '92px',
    align: 'right',
    cell: ({ status, durationMs }) => (status === 'running' ? 'running' : <Duration ms={durationMs} />),
  },
  {
    id: 'started',
    title: 'Started',
    width: '92px',
    align: 'right',
    cell: ({ startedAt }) => <Time at={startedAt} />,
  },
];
