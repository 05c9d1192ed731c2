/** A JSON value as a tree whose parts open and close; long parts only as far as one asks. */
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import styles from './json-view.module.css';
import { Copy } from './text.tsx';

/** Entries of one object or array that are shown at first, and more at each request. */
const MANY = 100;
const LONG_TEXT = 600;
/** Deeper parts are closed at first. */
const OPEN_DEPTH = 4;

/** @param what of what it is, for the button that copies it. */
export function JsonView({ value, what = 'JSON' }: { value: unknown; what?: string }) {
  return (
    <div className={styles.view}>
      <div className={styles.copy}>
        <Copy what={what} text={typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')} />
      </div>
      <Part value={value} depth={0} />
    </div>
  );
}

function Part({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  if (value === null || typeof value !== 'object') {
    return (
      <div className={styles.line}>
        <Name name={name} />
        <Simple value={value} />
      </div>
    );
  }
  return <Parent name={name} value={value} depth={depth} />;
}

function Parent({ name, value, depth }: { name: string | undefined; value: object; depth: number }) {
  const entries = Object.entries(value);
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH && entries.length <= MANY);
  const [shown, setShown] = useState(MANY);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (entries.length === 0) {
    return (
      <div className={styles.line}>
        <Name name={name} />
        <span className={styles.mark}>{`${open}${close}`}</span>
      </div>
    );
  }
  return (
    <div>
      <button type="button" className={styles.toggle} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={12} aria-hidden className={styles.arrow} />
        <Name name={name} />
        <span className={styles.mark}>{isOpen ? open : `${open} ${entries.length} ${close}`}</span>
      </button>
      {isOpen && (
        <div className={styles.children}>
          {entries.slice(0, shown).map(([key, child]) => (
            <Part key={key} name={key} value={child} depth={depth + 1} />
          ))}
          {entries.length > shown && (
            <button type="button" className={styles.more} onClick={() => setShown(shown + MANY)}>
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

const Name = ({ name }: { name: string | undefined }) =>
  name === undefined ? null : <span className={styles.name}>{name}: </span>;

function Simple({ value }: { value: unknown }) {
  const [isWhole, setWhole] = useState(false);
  if (typeof value !== 'string') {
    return <span className={value === null ? styles.mark : styles.number}>{String(value)}</span>;
  }
  const isLong = value.length > LONG_TEXT && !isWhole;
  return (
    <span className={styles.text}>
      {JSON.stringify(isLong ? value.slice(0, LONG_TEXT) : value)}
      {isLong && (
        <button type="button" className={styles.more} onClick={() => setWhole(true)}>
          all {value.length} characters
        </button>
      )}
    </span>
  );
}
