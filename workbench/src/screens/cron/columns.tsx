/** The columns of the list of cron steps. */
import { Pause, Play, Zap } from 'lucide-react';
import type { CronStatus } from '../../api/types.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { IconButton } from '../../ui/button.tsx';
import { NameCell } from '../../ui/name-cell.tsx';
import type { Column } from '../../ui/table.tsx';
import { Duration, Time } from '../../ui/text.tsx';
import styles from './cron.module.css';
import { scheduleText } from './schedule-text.ts';
import type { CronActions } from './use-cron-actions.ts';

type Last = NonNullable<CronStatus['last']>;

export const OUTCOME_TONES: Record<Last['outcome'], Tone> = { running: 'run', succeeded: 'ok', failed: 'bad' };

/** How long a run took, in ms; nothing while it goes on. */
export const tookMs = ({ startedAt, endedAt }: Last): number | undefined =>
  endedAt === undefined ? undefined : Date.parse(endedAt) - Date.parse(startedAt);

export function columnsOf({ run, togglePause }: CronActions): readonly Column<CronStatus>[] {
  return [
    {
      id: 'step',
      title: 'Step',
      width: 'minmax(140px, 1.2fr)',
      cell: ({ step, paused }) => <NameCell name={step}>{paused && <Badge tone="warn">paused</Badge>}</NameCell>,
    },
    {
      id: 'cron',
      from: 600,
      title: 'Schedule',
      width: 'minmax(100px, 130px)',
      cell: ({ cron }) => <code>{cron}</code>,
    },
    {
      id: 'words',
      from: 730,
      title: 'In words',
      width: 'minmax(140px, 1.6fr)',
      cell: ({ cron }) => <span className={styles.quiet}>{scheduleText(cron)}</span>,
    },
    {
      id: 'timezone',
      from: 920,
      title: 'Time zone',
      width: '120px',
      cell: ({ timezone }) => <span className={styles.quiet}>{timezone}</span>,
    },
    {
      id: 'next',
      title: 'Next',
      width: '84px',
      align: 'right',
      cell: ({ next }) => (next === undefined ? <span className={styles.quiet}>–</span> : <Time at={next} />),
    },
    {
      id: 'last',
      title: 'Last run',
      width: '166px',
      cell: ({ last }) =>
        last === undefined ? (
          <span className={styles.quiet}>never</span>
        ) : (
          <span className={styles.last}>
            <Badge tone={OUTCOME_TONES[last.outcome]} dot>
              {last.outcome}
            </Badge>
            <span className={styles.quiet}>
              <Time at={last.startedAt} />
            </span>
          </span>
        ),
    },
    { id: 'took', from: 820, title: 'Took', width: '76px', align: 'right', cell: ({ last }) => <Took last={last} /> },
    {
      id: 'actions',
      title: 'What to do',
      untitled: true,
      width: '88px',
      cell: (one) => (
        <>
          <IconButton label={`Run ${one.step} now`} icon={Zap} onClick={() => run(one)} />
          <IconButton
            label={`${one.paused ? 'Resume' : 'Pause'} ${one.step}`}
            icon={one.paused ? Play : Pause}
            onClick={() => togglePause(one)}
          />
        </>
      ),
    },
  ];
}

function Took({ last }: { last: Last | undefined }) {
  const ms = last && tookMs(last);
  return ms === undefined ? null : <Duration ms={ms} />;
}
