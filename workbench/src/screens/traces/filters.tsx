/** The fields that narrow the list of traces. */
import { RefreshCw } from 'lucide-react';
import { Button } from '../../ui/button.tsx';
import { FilterBar, SearchField, Segments, Select } from '../../ui/filters.tsx';
import { RECENT_TIMES } from '../../ui/time-range.tsx';
import { FlowSelect, StepSelect } from '../step-filters.tsx';
import type { Filters } from './query.ts';

const STATUSES = [
  { value: '', title: 'All' },
  { value: 'failed', title: 'Failed' },
  { value: 'running', title: 'Running' },
  { value: 'completed', title: 'Completed' },
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
      <StepSelect value={filters.step} onChange={(step) => onChange({ step })} />
      <FlowSelect value={filters.flow} onChange={(flow) => onChange({ flow })} />
      <Select label="Time" value={filters.since} options={RECENT_TIMES} onChange={(since) => onChange({ since })} />
      <Select
        label="Duration"
        value={filters.minDuration}
        options={DURATIONS}
        onChange={(minDuration) => onChange({ minDuration })}
      />
    </FilterBar>
  );
}
