/** From when to when: the last minutes or hours, or two times. */
import { useState } from 'react';
import { Select } from './filters.tsx';
import styles from './time-range.module.css';

export interface Times {
  /** How long ago, as `15m`, or ISO 8601; empty: any time. */
  since: string;
  /** ISO 8601; empty: now. */
  until: string;
}

/** The last minutes and hours, as choices. */
export const RECENT_TIMES = [
  { value: '', title: 'Any time' },
  { value: '5m', title: 'Last 5 minutes' },
  { value: '15m', title: 'Last 15 minutes' },
  { value: '1h', title: 'Last hour' },
  { value: '6h', title: 'Last 6 hours' },
  { value: '1d', title: 'Last day' },
];
const BETWEEN = 'between';
const MINUTE = 60_000;

export function TimeRange({ since, until, onChange }: Times & { onChange: (times: Times) => void }) {
  const [isOpen, setOpen] = useState(false);
  const isBetween = isOpen || until !== '' || (since !== '' && !RECENT_TIMES.some(({ value }) => value === since));
  const choose = (value: string) => {
    setOpen(value === BETWEEN);
    if (value !== BETWEEN) return onChange({ since: value, until: '' });
    const now = Date.now();
    onChange({ since: new Date(now - 15 * MINUTE).toISOString(), until: new Date(now).toISOString() });
  };
  return (
    <>
      <Select
        label="Time"
        value={isBetween ? BETWEEN : since}
        options={[...RECENT_TIMES, { value: BETWEEN, title: 'Between two times' }]}
        onChange={choose}
      />
      {isBetween && (
        <>
          <Moment label="From" value={since} onChange={(since) => onChange({ since, until })} />
          <span aria-hidden className={styles.to}>
            –
          </span>
          <Moment label="To" value={until} onChange={(until) => onChange({ since, until })} />
        </>
      )}
    </>
  );
}

function Moment({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <input
      type="datetime-local"
      step="1"
      aria-label={label}
      className={styles.moment}
      value={toLocal(value)}
      onChange={({ target }) => onChange(target.value === '' ? '' : new Date(target.value).toISOString())}
    />
  );
}

/** As the field of a browser has it: in the time of this machine, without a zone. */
function toLocal(value: string): string {
  const time = Date.parse(value);
  if (Number.isNaN(time)) return '';
  return new Date(time - new Date(time).getTimezoneOffset() * MINUTE).toISOString().slice(0, 19);
}
