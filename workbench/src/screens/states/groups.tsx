/** The groups of state. */
import { Database } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { everyBySize } from '../../api/hooks.ts';
import type { Page } from '../../api/types.ts';
import { useList } from '../../api/use-list.ts';
import { TRACE_ID } from '../../lib/trace-id.ts';
import { FilterBar, SearchField } from '../../ui/filters.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { nameText } from './name-text.ts';
import { GROUP_ROWS } from './query.ts';
import { stateHref } from './states.tsx';

interface Group {
  group: string;
  keys: number;
}

const COLUMNS: readonly Column<Group>[] = [
  { id: 'group', title: 'Group', width: '1fr', cell: ({ group }) => <span title={group}>{nameText(group)}</span> },
  { id: 'keys', title: 'Keys', width: '70px', align: 'right', cell: ({ keys }) => keys.toLocaleString() },
];

export function Groups({ selected }: { selected: string | undefined }) {
  const [text, setText] = useState('');
  const [, navigate] = useLocation();
  const list = useList<Page<Group>, 'items'>('/state/groups', {
    ...{ field: 'items', by: 'after', limit: GROUP_ROWS, every: everyBySize },
  });
  const search = (text: string) => {
    if (TRACE_ID.test(text.trim())) navigate(`/states?trace=${text.trim()}`);
    else setText(text);
  };
  const rows = list.rows.filter(({ group }) => group.toLowerCase().includes(text.toLowerCase()));
  return (
    <>
      <FilterBar>
        <SearchField label="Search groups, or a trace id" value={text} onChange={search} />
      </FilterBar>
      {list.isLoading ? (
        <Loading label="Loading groups" />
      ) : list.error && list.rows.length === 0 ? (
        <ErrorState error={list.error} what="Groups could not be read" onRetry={list.restart} />
      ) : rows.length === 0 ? (
        <Empty icon={Database} title={text === '' ? 'Nothing is stored' : 'No group fits'} />
      ) : (
        <Table<Group>
          label="Groups"
          columns={COLUMNS}
          rows={rows}
          rowKey={({ group }) => group}
          rowHref={({ group }) => stateHref(group)}
          rowTestId={({ group }) => `group-${group}`}
          selected={selected}
          onEnd={list.loadMore}
        />
      )}
    </>
  );
}
