/** The columns of the list of subscriptions. */
import { Pause, Play } from 'lucide-react';
import type { QueueStatus } from '../../api/types.ts';
import { Badge } from '../../ui/badge.tsx';
import { IconButton } from '../../ui/button.tsx';
import { NameCell } from '../../ui/name-cell.tsx';
import { Sparkline } from '../../ui/sparkline.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/text.tsx';
import styles from './queues.module.css';

interface Needs {
  depths: ReadonlyMap<string, readonly number[]>;
  onPause: (queue: QueueStatus) => void;
}

export function columnsOf({ depths, onPause }: Needs): readonly Column<QueueStatus>[] {
  return [
    {
      id: 'step',
      title: 'Step',
      width: 'minmax(150px, 1.2fr)',
      cell: ({ step, paused }) => <NameCell name={step}>{paused && <Badge tone="warn">paused</Badge>}</NameCell>,
    },
    { id: 'topic', title: 'Topic', width: 'minmax(100px, 0.9fr)', cell: ({ topic }) => <code>{topic}</code> },
    {
      id: 'depth',
      from: 900,
      title: 'Depth',
      width: '100px',
      cell: ({ subscription }) => <Sparkline values={depths.get(subscription) ?? []} />,
    },
    number('waiting', 'Waiting', ({ waiting }) => waiting),
    { ...number('inFlight', 'In flight', ({ inFlight }) => inFlight), from: 540 },
    { ...number('later', 'Later', ({ later, scheduled }) => later + scheduled), from: 600 },
    {
      id: 'oldest',
      from: 700,
      title: 'Oldest',
      width: '84px',
      align: 'right',
      cell: ({ oldest }) => (oldest === undefined ? <Nothing /> : <Time at={oldest} />),
    },
    number('dead', 'Dead', ({ dead }) => dead, 'bad'),
    {
      id: 'why',
      from: 800,
      title: 'Why it waits',
      width: 'minmax(120px, 1.4fr)',
      cell: ({ why }) => (
        <span className={styles.quiet} title={why}>
          {why}
        </span>
      ),
    },
    {
      id: 'actions',
      title: 'What to do',
      untitled: true,
      width: '60px',
      cell: (queue) => (
        <IconButton
          label={`${queue.paused ? 'Resume' : 'Pause'} ${queue.step}, ${queue.topic}`}
          icon={queue.paused ? Play : Pause}
          onClick={() => onPause(queue)}
        />
      ),
    },
  ];
}

function number(id: string, title: string, of: (queue: QueueStatus) => number, tone?: 'bad'): Column<QueueStatus> {
  const cell = (queue: QueueStatus) => {
    const value = of(queue);
    return value === 0 ? <Nothing /> : <span className={tone && styles.bad}>{value.toLocaleString()}</span>;
  };
  return { id, title, width: '68px', align: 'right', cell };
}

const Nothing = () => <span className={styles.nothing}>0</span>;
