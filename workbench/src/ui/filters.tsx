/** The bar above a list: a search field, choices, and what says how many there are. */
import { Search, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useShortcut } from '../lib/shortcuts.ts';
import { IconButton } from './button.tsx';
import styles from './filters.module.css';
import { Hidden } from './hidden.tsx';

/** @param end at the right: what is to be done with the list. */
export function FilterBar({ children, end, testId }: { children: ReactNode; end?: ReactNode; testId?: string }) {
  return (
    <search className={styles.bar} data-testid={testId}>
      {children}
      {end && <div className={styles.end}>{end}</div>}
    </search>
  );
}

/** Filters while one types, a moment after the last key. `/` leads to it. */
export function SearchField(props: {
  label: string;
  value: string;
  onChange: (text: string) => void;
  testId?: string;
}) {
  const { label, value, onChange, testId } = props;
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  useEffect(() => {
    // Changed from elsewhere, by a link for example.
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      onChange(text);
    }, 200);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  useShortcut('/', label, () => field.current?.focus());
  return (
    <label className={styles.search}>
      <Search size={14} aria-hidden />
      <input
        ref={field}
        type="text"
        aria-label={label}
        placeholder={label}
        value={text}
        spellCheck={false}
        data-testid={testId}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          if (text === '') field.current?.blur();
          setText('');
        }}
      />
      {text !== '' && <IconButton label="Clear the search" icon={X} onClick={() => setText('')} />}
    </label>
  );
}

/** Leads somewhere by what is typed, at Enter. */
export function FindField({ label, onFind }: { label: string; onFind: (text: string) => void }) {
  return (
    <form
      className={styles.search}
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get('text') ?? '').trim();
        if (text !== '') onFind(text);
      }}
    >
      <Search size={14} aria-hidden />
      <input name="text" type="text" aria-label={label} placeholder={label} spellCheck={false} autoComplete="off" />
    </form>
  );
}

interface SelectProps {
  label: string;
  value: string;
  /** The value of the first one is often empty: all. */
  options: readonly { value: string; title: string }[];
  onChange: (value: string) => void;
  testId?: string;
}

export function Select({ label, value, options, onChange, testId }: SelectProps) {
  return (
    <select
      aria-label={label}
      title={label}
      value={value}
      data-testid={testId}
      data-set={value !== '' || undefined}
      className={styles.select}
      onChange={(event) => onChange(event.target.value)}
    >
      {options.map(({ value, title }) => (
        <option key={value} value={value}>
          {title}
        </option>
      ))}
    </select>
  );
}

/** A few choices side by side. */
export function Segments(props: SelectProps) {
  const { label, value, options, onChange, testId } = props;
  return (
    <fieldset className={styles.segments} data-testid={testId}>
      <legend>
        <Hidden>{label}</Hidden>
      </legend>
      {options.map(({ value: one, title }) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onChange(one)}>
          {title}
        </button>
      ))}
    </fieldset>
  );
}
