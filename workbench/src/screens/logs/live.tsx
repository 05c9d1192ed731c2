/** Whether the log is followed, and what is to be done with it. */
import { ArrowUpToLine, Download, Pause, Play } from 'lucide-react';
import { useState } from 'react';
import type { Query } from '../../api/address.ts';
import { useApp } from '../../api/hooks.ts';
import { useShortcut } from '../../lib/shortcuts.ts';
import { Badge } from '../../ui/badge.tsx';
import { IconButton } from '../../ui/button.tsx';
import { toast } from '../../ui/toast.tsx';
import { exportLogs } from './export.ts';
import type { LogView } from './log-book.ts';
import styles from './logs.module.css';

interface Props {
  view: LogView;
  /** As the admin API has the filters. */
  query: Query;
  /** A time in the past is looked at, to which nothing is added. */
  isPast: boolean;
  isPaused: boolean;
  onPause: (isPaused: boolean) => void;
}

export function LiveBar({ view, query, isPast, isPaused, onPause }: Props) {
  useShortcut('p', isPaused ? 'Go on with new records' : 'Pause new records', () => onPause(!isPaused), !isPast);
  const { entries, hasMore } = view;
  return (
    <>
      <span>
        {entries.length}
        {hasMore && '+'} {entries.length === 1 ? 'record' : 'records'}
      </span>
      {!isPast && (
        <>
          <LiveState view={view} isPaused={isPaused} />
          <IconButton
            label={isPaused ? 'Go on (p)' : 'Pause (p)'}
            icon={isPaused ? Play : Pause}
            aria-pressed={isPaused}
            onClick={() => onPause(!isPaused)}
          />
        </>
      )}
      <Export query={query} />
    </>
  );
}

function LiveState({ view: { isLive, liveError, isLoading }, isPaused }: { view: LogView; isPaused: boolean }) {
  const [tone, word] = isPaused
    ? (['warn', 'Paused'] as const)
    : isLive || isLoading
      ? (['ok', 'Live'] as const)
      : (['bad', 'Not live'] as const);
  return (
    <span role="status" title={liveError} className={styles.live} data-live={word === 'Live' || undefined}>
      <Badge tone={tone} dot>
        {word}
      </Badge>
    </span>
  );
}

function Export({ query }: { query: Query }) {
  const { data: app } = useApp();
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const name = `${app?.app ?? 'app'}-log-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.jsonl`;
      const { count, isCut } = await exportLogs(query, name);
      toast(isCut ? `The newest ${count} records are in ${name}; there are more` : `${count} records are in ${name}`);
    } catch (error) {
      toast(`The log could not be exported: ${(error as Error).message}`, 'bad');
    } finally {
      setBusy(false);
    }
  };
  return (
    <IconButton label="Export as lines of JSON, with these filters" icon={Download} onClick={run} disabled={isBusy} />
  );
}

/** Over the rows, when some wait to be shown. */
export function HeldRecords({ count, onShow }: { count: number; onShow: () => void }) {
  return (
    <button type="button" className={styles.held} onClick={onShow}>
      <ArrowUpToLine size={14} aria-hidden />
      {count} new {count === 1 ? 'record' : 'records'}
    </button>
  );
}
