/** Steps on a schedule: when they run next, how the last run went, and a run at once. */
import { CalendarClock } from 'lucide-react';
import { useLocation, useRoute } from 'wouter';
import { EVERY, useApi } from '../../api/hooks.ts';
import type { CronStatus } from '../../api/types.ts';
import { fromPart, toPart } from '../../lib/path-part.ts';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Button } from '../../ui/button.tsx';
import { FilterBar, SearchField, Segments } from '../../ui/filters.tsx';
import { Column, Screen, Split } from '../../ui/screen.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { columnsOf } from './columns.tsx';
import { CronPanel } from './cron-panel.tsx';
import { useCronActions } from './use-cron-actions.ts';

const SHOWN = [
  { value: '', title: 'All' },
  { value: 'paused', title: 'Paused' },
  { value: 'failed', title: 'Failed' },
];
const FITS: Record<string, (one: CronStatus) => boolean> = {
  paused: ({ paused }) => paused,
  failed: ({ last }) => last?.outcome === 'failed',
};

export default function Cron() {
  const { data, error, refetch } = useApi<CronStatus[]>('/cron', { every: EVERY.live });
  const [, params] = useRoute('/cron/:step');
  const [{ show, text }, setFilters] = useUrlState('show', 'text');
  const [, navigate] = useLocation();
  const withSearch = useWithSearch(['show', 'text']);
  const actions = useCronActions();
  if (error && !data) return <ErrorState error={error} what="Cron steps could not be read" onRetry={refetch} />;
  if (!data) return <Loading label="Loading cron steps" />;
  if (data.length === 0) return <NoCron />;
  const open = params ? fromPart(params.step) : undefined;
  const rows = data.filter(
    (one) => (FITS[show]?.(one) ?? true) && `${one.step} ${one.cron}`.toLowerCase().includes(text.toLowerCase()),
  );
  return (
    <Screen testId="cron-container">
      <FilterBar end={<span>{rows.length === 1 ? '1 cron step' : `${rows.length} cron steps`}</span>}>
        <Segments label="Show" value={show} options={SHOWN} onChange={(show) => setFilters({ show })} />
        <SearchField label="Search step or schedule" value={text} onChange={(text) => setFilters({ text })} />
      </FilterBar>
      <Split>
        <Column>
          {rows.length === 0 ? (
            <Empty
              icon={CalendarClock}
              title="No cron step fits"
              action={<Button onClick={() => setFilters({ show: '', text: '' })}>Show all {data.length}</Button>}
            />
          ) : (
            <Table<CronStatus>
              label="Cron steps"
              columns={columnsOf(actions)}
              rows={rows}
              rowKey={({ step }) => step}
              rowHref={({ step }) => withSearch(`/cron/${toPart(step)}`)}
              rowTestId={({ step }) => `cron-${step}`}
              selected={open}
            />
          )}
        </Column>
        {open !== undefined && (
          <CronPanel
            key={open}
            status={data.find(({ step }) => step === open)}
            actions={actions}
            onClose={() => navigate(withSearch('/cron'))}
          />
        )}
      </Split>
    </Screen>
  );
}

const EXAMPLE = `export const config = {
  type: 'cron',
  name: 'CleanUp',
  cron: '30 2 * * *',
  emits: [],
};`;

const NoCron = () => (
  <Empty icon={CalendarClock} title="No step runs on a schedule yet">
    <p>
      A cron step runs once at each tick, however many machines there are. Save this as src/clean-up.step.ts, with a
      handler:
    </p>
    <pre>{EXAMPLE}</pre>
  </Empty>
);
