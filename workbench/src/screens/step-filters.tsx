/** Choices among the steps and the flows of the app, for lists that are narrowed by them. */
import { useSteps } from '../api/hooks.ts';
import { Select } from '../ui/filters.tsx';

interface Props {
  /** Empty: any. */
  value: string;
  onChange: (value: string) => void;
}

export function StepSelect({ value, onChange }: Props) {
  const { steps = [] } = useSteps().data ?? {};
  const options = steps.map(({ id }) => ({ value: id, title: id }));
  return (
    <Select label="Step" value={value} options={[{ value: '', title: 'Any step' }, ...options]} onChange={onChange} />
  );
}

export function FlowSelect({ value, onChange }: Props) {
  const { steps = [] } = useSteps().data ?? {};
  const flows = [...new Set(steps.flatMap(({ flows }) => flows))].sort();
  const options = flows.map((flow) => ({ value: flow, title: flow }));
  return (
    <Select label="Flow" value={value} options={[{ value: '', title: 'Any flow' }, ...options]} onChange={onChange} />
  );
}
