/** What the app has done: a list that is filtered by state first. */
import { Activity } from 'lucide-react';
import { EVERY } from '../../api/hooks.ts';
import type { TracePage, TraceSummary } from '../../api/types.ts';
import { useList } from '../../api/use-list.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { Button } from '../../ui/button.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { COLUMNS } from './columns.tsx';
import { FILTERS, isFiltered, TraceFilters, toQuery } from './filters.tsx';
import styles from './traces.module.css';

export default function Traces() {
  const [filters, setFilters] = useUrlState(...FILTERS);
  const list = useList<TracePage, 'traces'>('/traces', { field: 'traces', query: toQuery(filters), every: EVERY.live });
  const { rows, error, isLoading } = list;
  const clear = () => setFilters(Object.fromEntries(FILTERS.map((name) => [name, ''])));
  return (
    <div className={styles.screen} data-testid="traces-container">
      <TraceFilters filters={filters} onChange={setFilters} list={list} />
      {isLoading ? (
        <Loading label="Loading traces" />
      ) : error && rows.length === 0 ? (
        <ErrorState error={error} what="Traces could not be read" onRetry={list.restart} />
      ) : rows.length === 0 ? (
        <NoTraces isFiltered={isFiltered(filters)} onClear={clear} />
      ) : (
        <Table<TraceSummary>
          label="Traces"
          columns={COLUMNS}
          rows={rows}
          rowKey={({ traceId }) => traceId}
          rowTestId={({ traceId }) => `trace-${traceId}`}
          onEnd={list.loadMore}
          footer={list.isLoadingMore ? 'Loading more' : list.hasMore ? undefined : 'No older traces are stored'}
        />
      )}
    </div>
  );
}

function NoTraces({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) {
    return (
      <Empty
        icon={Activity}
        title="No trace fits these filters"
        action={<Button onClick={onClear}>Clear the filters</Button>}
      >
        <p>Traces are kept for three days, unless your project says otherwise.</p>
      </Empty>
    );
  }
  return (
    <Empty icon={Activity} title="Nothing has happened yet">
      <p>Each request, cron tick and emitted event begins a trace. Call one of your endpoints, and it shows up here:</p>
      <pre>{`curl ${window.location.origin}/…`}</pre>
    </Empty>
  );
}
