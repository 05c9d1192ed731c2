/** All the state that one trace has touched, whatever its groups. */
import { Footprints, X } from 'lucide-react';
import { Link } from 'wouter';
import { EVERY, useApi } from '../../api/hooks.ts';
import type { TouchedState } from '../../api/types.ts';
import { useWithSearch } from '../../lib/url-state.ts';
import { Badge } from '../../ui/badge.tsx';
import { ButtonLink } from '../../ui/button.tsx';
import { FilterBar } from '../../ui/filters.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { nameText } from './name-text.ts';
import styles from './states.module.css';
import { stateHref } from './states.tsx';

type Touched = TouchedState['keys'][number];

const COLUMNS: readonly Column<Touched>[] = [
  {
    id: 'key',
    title: 'Key',
    width: 'minmax(120px, 1.4fr)',
    cell: ({ key }) =>
      key === undefined ? (
        <span className={styles.value}>the whole group</span>
      ) : (
        <span className={styles.key}>{nameText(key)}</span>
      ),
  },
  { id: 'group', title: 'Group', width: 'minmax(100px, 1fr)', cell: ({ group }) => nameText(group) },
  {
    id: 'operations',
    title: 'What it did',
    width: 'minmax(120px, 1fr)',
    cell: ({ operations, wrote }) => <Badge tone={wrote ? 'accent' : 'plain'}>{operations.join(', ')}</Badge>,
  },
];

interface Props {
  traceId: string;
  /** Of the value that is open. */
  group: string | undefined;
  name: string | undefined;
}

export function Touched({ traceId, group, name }: Props) {
  const withSearch = useWithSearch(['trace']);
  const query = { trace: traceId };
  const { data, error, refetch } = useApi<TouchedState>('/state/touched', { query, every: EVERY.live });
  return (
    <>
      <FilterBar
        end={
          <ButtonLink icon={X} href="/states" look="quiet">
            All groups
          </ButtonLink>
        }
      >
        <span>
          Touched by the trace{' '}
          <Link href={`/traces/${traceId}`}>
            <code>{traceId.slice(-8)}</code>
          </Link>
        </span>
      </FilterBar>
      {error && !data ? (
        <ErrorState error={error} what="It is not known what the trace touched" onRetry={refetch} />
      ) : !data ? (
        <Loading label="Loading what the trace touched" />
      ) : data.keys.length === 0 ? (
        <Empty icon={Footprints} title="This trace has not touched state">
          <p>What its steps read and write with their state shows up here.</p>
        </Empty>
      ) : (
        <Table<Touched>
          label="Touched values"
          columns={COLUMNS}
          rows={data.keys}
          rowKey={keyOf}
          rowHref={({ group, key }) => (key === undefined ? stateHref(group) : withSearch(stateHref(group, key)))}
          rowTestId={({ key }) => `key-${key}`}
          selected={group === undefined ? undefined : keyOf({ group, ...(name !== undefined && { key: name }) })}
        />
      )}
    </>
  );
}

const keyOf = ({ group, key }: Pick<Touched, 'group' | 'key'>) => JSON.stringify([group, key ?? null]);
