/** The fields that narrow the log. */
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../../ui/button.tsx';
import { FilterBar, SearchField, Segments } from '../../ui/filters.tsx';
import { TimeRange } from '../../ui/time-range.tsx';
import { FlowSelect, StepSelect } from '../step-filters.tsx';
import { FILTERS, type Filters, NONE } from './query.ts';

const LEVELS = [
  { value: '', title: 'All' },
  { value: 'info', title: 'Info' },
  { value: 'warn', title: 'Warn' },
  { value: 'error', title: 'Error' },
];

interface Props {
  filters: Filters;
  onChange: (changes: Partial<Filters>) => void;
  /** At the right. */
  end: ReactNode;
}

export function LogFilters({ filters, onChange, end }: Props) {
  return (
    <FilterBar end={end} testId="logs-search-container">
      <Segments
        label="This level and above"
        value={filters.level}
        options={LEVELS}
        onChange={(level) => onChange({ level })}
      />
      <SearchField label="Search text or trace id" value={filters.text} onChange={(text) => onChange({ text })} />
      <StepSelect value={filters.step} onChange={(step) => onChange({ step })} />
      <FlowSelect value={filters.flow} onChange={(flow) => onChange({ flow })} />
      <TimeRange since={filters.since} until={filters.until} onChange={onChange} />
      {FILTERS.some((name) => filters[name] !== '') && (
        <Button look="quiet" icon={X} onClick={() => onChange(NONE)}>
          Clear
        </Button>
      )}
    </FilterBar>
  );
}
