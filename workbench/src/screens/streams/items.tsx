/** The items of a group as a list. */
import { RadioTower } from 'lucide-react';
import type { StreamItem } from '../../api/types.ts';
import { inLine } from '../../lib/json-text.ts';
import { Empty } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/text.tsx';
import { nameText } from '../states/name-text.ts';
import styles from './streams.module.css';

interface Props {
  rows: readonly StreamItem[];
  stream: string;
  isFiltered: boolean;
  selected: string | undefined;
  href: (id: string) => string;
  onEnd: (() => void) | undefined;
}

const COLUMNS: readonly Column<StreamItem>[] = [
  {
    id: 'id',
    title: 'Item',
    width: 'minmax(120px, 1fr)',
    cell: ({ id }) => (
      <span className={styles.id} title={id}>
        {nameText(id)}
      </span>
    ),
  },
  {
    id: 'value',
    title: 'Value',
    width: 'minmax(140px, 2.4fr)',
    cell: (item) => <code className={styles.value}>{inLine(ownOf(item))}</code>,
  },
  {
    id: 'created',
    from: 480,
    title: 'Created',
    width: '92px',
    align: 'right',
    cell: ({ _createdAt }) => _createdAt !== undefined && <Time at={_createdAt} />,
  },
];

/** What the project has put in. */
export function ownOf({ id: _, _createdAt, __motia, ...own }: StreamItem): object {
  return own;
}

export function Items({ rows, stream, isFiltered, selected, href, onEnd }: Props) {
  if (rows.length === 0) {
    return (
      <Empty icon={RadioTower} title={isFiltered ? 'No item fits' : 'The group is empty'}>
        {isFiltered ? (
          <p>The search looks through those that are loaded.</p>
        ) : (
          <>
            <p>Any handler puts items into it, and this page shows them at once:</p>
            <pre>{`await streams.${stream}.set(group, id, { … });`}</pre>
          </>
        )}
      </Empty>
    );
  }
  return (
    <Table<StreamItem>
      label="Items"
      columns={COLUMNS}
      rows={rows}
      rowKey={({ id }) => id}
      rowHref={({ id }) => href(id)}
      rowTestId={({ id }) => `item-${id}`}
      selected={selected}
      {...(onEnd && { onEnd })}
    />
  );
}
