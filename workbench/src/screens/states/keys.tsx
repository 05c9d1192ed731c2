/** The values of a group. */
import { Eraser, KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { everyBySize } from '../../api/hooks.ts';
import type { Page, StateEntry } from '../../api/types.ts';
import { useList } from '../../api/use-list.ts';
import { inLine } from '../../lib/json-text.ts';
import { toPart } from '../../lib/path-part.ts';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button, ButtonLink, IconButton } from '../../ui/button.tsx';
import { FilterBar, SearchField } from '../../ui/filters.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/text.tsx';
import { ClearGroup, DeleteValues } from './delete-values.tsx';
import { nameText } from './name-text.ts';
import styles from './states.module.css';
import { stateHref } from './states.tsx';

export type Entry = StateEntry & { key: string };

interface Props {
  group: string;
  /** Key of the value that is open. */
  selected: string | undefined;
}

export function Keys({ group, selected }: Props) {
  const [{ text }, setFilters] = useUrlState('text');
  const withSearch = useWithSearch(['text']);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<'chosen' | 'all'>();
  const [, navigate] = useLocation();
  const list = useList<Page<Entry>, 'items'>(`/state/groups/${toPart(group)}/items`, {
    ...{ field: 'items', by: 'after', every: everyBySize },
  });
  const rows = list.rows.filter(({ key, value }) =>
    `${key} ${inLine(value, 2_000)}`.toLowerCase().includes(text.toLowerCase()),
  );
  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    setChosen(next);
  };
  return (
    <>
      <FilterBar
        end={
          <>
            {chosen.size > 0 && (
              <Button look="danger" icon={Trash2} onClick={() => setAsked('chosen')}>
                Delete {chosen.size}
              </Button>
            )}
            <span>
              {list.rows.length}
              {list.hasMore && '+'} keys
            </span>
            <ButtonLink icon={Plus} href={`${stateHref(group)}?new=1`}>
              Add
            </ButtonLink>
            {list.rows.length > 0 && (
              <IconButton label={`Clear the group ${nameText(group)}`} icon={Eraser} onClick={() => setAsked('all')} />
            )}
          </>
        }
      >
        <strong className={styles.group}>{nameText(group)}</strong>
        <SearchField label="Search keys and values" value={text} onChange={(text) => setFilters({ text })} />
      </FilterBar>
      {list.isLoading ? (
        <Loading label="Loading values" />
      ) : list.error && list.rows.length === 0 ? (
        <ErrorState error={list.error} what="Values could not be read" onRetry={list.restart} />
      ) : rows.length === 0 ? (
        <NoKeys isFiltered={text !== ''} onClear={() => setFilters({ text: '' })} />
      ) : (
        <Table<Entry>
          label={`Values of ${nameText(group)}`}
          columns={columnsOf(chosen, toggle)}
          rows={rows}
          rowKey={({ key }) => key}
          rowHref={({ key }) => withSearch(stateHref(group, key))}
          rowTestId={({ key }) => `key-${key}`}
          selected={selected}
          onEnd={list.loadMore}
          footer={list.isLoadingMore ? 'Loading more' : undefined}
        />
      )}
      {asked === 'chosen' && (
        <DeleteValues
          group={group}
          keys={[...chosen]}
          onDone={() => setChosen(new Set())}
          onClose={() => setAsked(undefined)}
        />
      )}
      {asked === 'all' && (
        <ClearGroup group={group} onDone={() => navigate('/states')} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function columnsOf(chosen: ReadonlySet<string>, toggle: (key: string) => void): readonly Column<Entry>[] {
  return [
    {
      id: 'key',
      title: 'Key',
      width: 'minmax(120px, 1.4fr)',
      cell: ({ key }) => (
        <span className={styles.key} title={key}>
          {nameText(key)}
        </span>
      ),
    },
    {
      id: 'kind',
      from: 500,
      title: 'Kind',
      width: '84px',
      cell: ({ value }) => <Badge dot>{kindOf(value)}</Badge>,
    },
    {
      id: 'value',
      title: 'Value',
      width: 'minmax(140px, 3fr)',
      cell: ({ value }) => <code className={styles.value}>{inLine(value)}</code>,
    },
    {
      id: 'expires',
      from: 580,
      title: 'Goes',
      width: '76px',
      align: 'right',
      cell: ({ expiresAt }) => expiresAt && <Time at={expiresAt} />,
    },
    { id: 'revision', from: 420, title: 'Revision', width: '80px', align: 'right', cell: ({ revision }) => revision },
    {
      id: 'choose',
      title: 'Choose',
      untitled: true,
      width: '52px',
      cell: ({ key }) => (
        <input
          type="checkbox"
          aria-label={`Choose ${nameText(key)}`}
          className={styles.choose}
          checked={chosen.has(key)}
          onChange={() => toggle(key)}
        />
      ),
    },
  ];
}

/** As JSON has it. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function NoKeys({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (!isFiltered) {
    return (
      <Empty icon={KeyRound} title="This group is empty">
        <p>A group is there as long as it has a value.</p>
      </Empty>
    );
  }
  return (
    <Empty icon={KeyRound} title="No value fits" action={<Button onClick={onClear}>Clear the search</Button>}>
      <p>The search looks through those that are loaded.</p>
    </Empty>
  );
}
