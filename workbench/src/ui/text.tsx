/** Times, durations, keys, and text to copy: small things that are read in many places. */
import { Check, Copy as CopyIcon } from 'lucide-react';
import { useState } from 'react';
import { durationText, exactText } from '../lib/time.ts';
import { useAge } from '../lib/use-now.ts';
import { IconButton } from './button.tsx';
import styles from './text.module.css';

/** How long ago, with the exact time on hover. @param at ISO 8601 or ms since 1970. */
export function Time({ at }: { at: string | number }) {
  const time = new Date(at);
  const age = useAge(time.getTime());
  return (
    <time dateTime={time.toISOString()} title={exactText(time)} className={styles.number}>
      {age}
    </time>
  );
}

export function Duration({ ms }: { ms: number }) {
  return <span className={styles.number}>{durationText(ms)}</span>;
}

export function Kbd({ keys }: { keys: string }) {
  return (
    <span className={styles.keys}>
      {keys.split(' ').map((key) => (
        <kbd key={key} className={styles.key}>
          {key}
        </kbd>
      ))}
    </span>
  );
}

/** Copies a text. @param what of what it is: "Copy trace id". */
export function Copy({ text, what }: { text: string; what: string }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_200);
  };
  return <IconButton label={isDone ? 'Copied' : `Copy ${what}`} icon={isDone ? Check : CopyIcon} onClick={copy} />;
}
