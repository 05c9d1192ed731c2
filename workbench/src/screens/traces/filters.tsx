/** What the list of traces is narrowed by. Each filter is a parameter of the URL, named as in the admin API. */
import { RefreshCw } from 'lucide-react';
import type { Query } from '../../api/client.ts';
import { useSteps } from '../../api/hooks.ts';
import { Button } from '../../ui/button.tsx';
import { FilterBar, SearchField, Segments, Select } from '../../ui/filters.tsx';

export const FILTERS = ['status', 'text', 'step', 'flow', 'since', 'minDuration'] as const;
export type Filters = Record<(typeof FILTERS)[number], string>;

export const isFiltered = (filters: Filters): boolean => FILTERS.some((name) => filters[name] !== '');
export const toQuery = (filters: Filters): Query => Object.fromEntries(FILTERS.map((name) => [name, filters[name]]));

const STATUSES = [
  { value: '', title: 'All' },
  { value: 'failed', title: 'Failed' },
  { value: 'running', title: 'Running' },
  { value: 'completed', title: 'Completed' },
];
const TIMES = [
  { value: '', title: 'Any time' },
  { value: '5m', title: 'Last 5 minutes' },
  { value: '15m', title: 'Last 15 minutes' },
  { value: '1h', title: 'Last hour' },
  { value: '6h', title: 'Last 6 hours' },
  { value: '1d', title: 'Last day' },
];
const DURATIONS = [
  { value: '', title: 'Any duration' },
  { value: '100', title: 'from 100 ms' },
  { value: '1000', title: 'from 1 s' },
  { value: '10000', title: 'from 10 s' },
];

interface Props {
  filters: Filters;
  onChange: (changes: Partial<Filters>) => void;
  list: { rows: readonly unknown[]; hasMore: boolean; isStill: boolean; restart: () => void };
}

export function TraceFilters({ filters, onChange, list }: Props) {
  const { steps = [] } = useSteps().data ?? {};
  const flows = [...new Set(steps.flatMap(({ flows }) => flows))].sort();
  const count = `${list.rows.length}${list.hasMore ? '+' : ''}`;
  return (
    <FilterBar
      end={
        <>
          {list.isStill && (
            <Button look="quiet" icon={RefreshCw} onClick={list.restart}>
              Back to the newest
            </Button>
          )}
          <span>{list.rows.length === 1 && !list.hasMore ? '1 trace' : `${count} traces`}</span>
        </>
      }
    >
      <Segments label="Status" value={filters.status} options={STATUSES} onChange={(status) => onChange({ status })} />
      <SearchField label="Search id, name or error" value={filters.text} onChange={(text) => onChange({ text })} />
      <Select
        label="Step"
        value={filters.step}
        options={[{ value: '', title: 'Any step' }, ...steps.map(({ id }) => ({ value: id, title: id }))]}
        onChange={(step) => onChange({ step })}
      />
      <Select
        label="Flow"
        value={filters.flow}
        options={[{ value: '', title: 'Any flow' }, ...flows.map((flow) => ({ value: flow, title: flow }))]}
        onChange={(flow) => onChange({ flow })}
      />
      <Select label="Time" value={filters.since} options={TIMES} onChange={(since) => onChange({ since })} />
      <Select
        label="Duration"
        value={filters.minDuration}
        options={DURATIONS}
        onChange={(minDuration) => onChange({ minDuration })}
      />
    </FilterBar>
  );
}
