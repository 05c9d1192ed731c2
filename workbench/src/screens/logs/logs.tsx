/** What steps and processes write: live, filtered, and each record behind a link. */
import { ScrollText } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useLocation, useRoute } from 'wouter';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Button } from '../../ui/button.tsx';
import { Column, Screen, Split } from '../../ui/screen.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { columnsOf } from './columns.tsx';
import { LogFilters } from './filters.tsx';
import { HeldRecords, LiveBar } from './live.tsx';
import type { LogView } from './log-book.ts';
import type { LogEntry } from './log-entry.ts';
import { LogPanel } from './log-panel.tsx';
import { FILTERS, logQuery, NONE } from './query.ts';
import { useLogBook } from './use-log-book.ts';

export default function Logs() {
  const [filters, setFilters] = useUrlState(...FILTERS);
  const [, params] = useRoute('/logs/:key');
  const [, navigate] = useLocation();
  const withSearch = useWithSearch(FILTERS);
  const [isPaused, setPaused] = useState(false);
  const [isAtTop, setAtTop] = useState(true);
  /** Another one is a table that begins at its top. */
  const [round, setRound] = useState(0);
  const isPast = filters.until !== '';
  const query = logQuery(filters);
  const view = useLogBook(query, !isPast, isPaused || !isAtTop);
  const { entries, held, isLoading, error } = view;
  const columns = useMemo(() => columnsOf((text) => setFilters({ text })), [setFilters]);
  const key = params?.key;
  const showHeld = () => {
    setPaused(false);
    setAtTop(true);
    setRound(round + 1);
  };
  return (
    <Screen testId="logs-container">
      <LogFilters
        filters={filters}
        onChange={setFilters}
        end={<LiveBar view={view} query={query} isPast={isPast} isPaused={isPaused} onPause={setPaused} />}
      />
      <Split>
        <Column>
          {held > 0 && <HeldRecords count={held} onShow={showHeld} />}
          {entries.length > 0 ? (
            <Table<LogEntry>
              key={round}
              dense
              label="Log"
              columns={columns}
              rows={entries}
              rowKey={(entry) => entry.key}
              rowHref={(entry) => withSearch(`/logs/${entry.key}`)}
              rowTestId={() => 'log-row'}
              selected={key}
              onEnd={view.loadMore}
              onTop={setAtTop}
              footer={footerOf(view)}
            />
          ) : isLoading ? (
            <Loading label="Loading the log" />
          ) : error ? (
            <ErrorState error={error} what="The log could not be read" onRetry={view.restart} />
          ) : (
            <NoLogs
              isFiltered={FILTERS.some((name) => filters[name] !== '')}
              view={view}
              onClear={() => setFilters(NONE)}
            />
          )}
        </Column>
        {key !== undefined && (
          <LogPanel
            entryKey={key}
            known={entries.find((entry) => entry.key === key)?.record}
            onClose={() => navigate(withSearch('/logs'))}
          />
        )}
      </Split>
    </Screen>
  );
}

function footerOf({ isLoadingMore, hasMore, isCut }: LogView): string | undefined {
  if (isLoadingMore) return 'Loading more';
  if (isCut) return 'Older records are left out here: choose a time to see them';
  return hasMore ? undefined : 'No older records are stored';
}

const EXAMPLE = `export const handler = async (req, { logger }) => {
  logger.info('Order placed', { orderId: 7 });
  …
};`;

interface NoLogsProps {
  isFiltered: boolean;
  view: ReturnType<typeof useLogBook>;
  onClear: () => void;
}

function NoLogs({ isFiltered, view, onClear }: NoLogsProps) {
  const { hasMore, isLoadingMore, searchedTo, loadMore } = view;
  if (!isFiltered && !hasMore) {
    return (
      <Empty icon={ScrollText} title="Nothing has been logged yet">
        <p>What steps write with their logger shows up here as it happens, with the trace that it belongs to:</p>
        <pre>{EXAMPLE}</pre>
      </Empty>
    );
  }
  return (
    <Empty
      icon={ScrollText}
      title={hasMore ? 'Nothing so far' : 'No record fits these filters'}
      action={
        <>
          {hasMore && (
            <Button onClick={loadMore} disabled={isLoadingMore}>
              Look further back
            </Button>
          )}
          <Button onClick={onClear}>Clear the filters</Button>
        </>
      }
    >
      {hasMore ? (
        <p>
          There is much to look through. Until now it went back to {searchedTo && new Date(searchedTo).toLocaleString()}
          .
        </p>
      ) : (
        <p>A level shows what is at least as bad; text is looked for in all fields. Logs are kept for three days.</p>
      )}
    </Empty>
  );
}
