/** What the app has done: a list that is filtered by state first. */
import { Activity } from 'lucide-react';
import { useLocation, useRoute } from 'wouter';
import { EVERY } from '../../api/hooks.ts';
import type { TracePage, TraceSummary } from '../../api/types.ts';
import { type List, useList } from '../../api/use-list.ts';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Button } from '../../ui/button.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { COLUMNS } from './columns.tsx';
import { TraceFilters } from './filters.tsx';
import { FILTERS, isFiltered, traceQuery } from './query.ts';
import { TraceDetail } from './trace-detail.tsx';
import styles from './traces.module.css';

export default function Traces() {
  const [, params] = useRoute('/traces/:traceId?/:spanId?');
  const { traceId, spanId } = params ?? {};
  const [filters, setFilters] = useUrlState(...FILTERS);
  const [, navigate] = useLocation();
  const withSearch = useWithSearch(FILTERS);
  const href = (...parts: (string | undefined)[]) =>
    withSearch(['/traces', ...parts.filter((part) => part !== undefined).map(encodeURIComponent)].join('/'));
  const list = useList<TracePage, 'traces'>('/traces', {
    field: 'traces',
    query: traceQuery(filters),
    every: EVERY.live,
  });
  return (
    <div className={styles.screen} data-testid="traces-container">
      <TraceFilters filters={filters} onChange={setFilters} list={list} />
      <div
        className={styles.split}
        data-open={spanId !== undefined ? 'span' : traceId !== undefined ? 'trace' : undefined}
      >
        <div className={styles.list}>
          <TraceList
            list={list}
            selected={traceId}
            href={href}
            isFiltered={isFiltered(filters)}
            onClear={() => setFilters(Object.fromEntries(FILTERS.map((name) => [name, ''])))}
          />
        </div>
        {traceId !== undefined && (
          <TraceDetail
            key={traceId}
            traceId={traceId}
            spanId={spanId}
            href={href}
            onClose={() => navigate(href())}
            onCloseSpan={() => navigate(href(traceId))}
          />
        )}
      </div>
    </div>
  );
}

interface TraceListProps {
  list: List<TracePage, TraceSummary>;
  selected: string | undefined;
  href: (traceId: string) => string;
  isFiltered: boolean;
  onClear: () => void;
}

function TraceList({ list, selected, href, isFiltered, onClear }: TraceListProps) {
  const { rows, error, isLoading } = list;
  if (isLoading) return <Loading label="Loading traces" />;
  if (rows.length === 0) {
    if (error) return <ErrorState error={error} what="Traces could not be read" onRetry={list.restart} />;
    return <NoTraces isFiltered={isFiltered} onClear={onClear} />;
  }
  return (
    <Table<TraceSummary>
      label="Traces"
      columns={COLUMNS}
      rows={rows}
      rowKey={({ traceId }) => traceId}
      rowHref={({ traceId }) => href(traceId)}
      rowTestId={({ traceId }) => `trace-${traceId}`}
      rowClass="motia-trace-group"
      selected={selected}
      onEnd={list.loadMore}
      footer={list.isLoadingMore ? 'Loading more' : list.hasMore ? undefined : 'No older traces are stored'}
    />
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
