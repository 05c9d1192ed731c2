/** The streams of the app, and the groups of the one that is chosen. */
import { ChevronRight, Lock, RadioTower, Users } from 'lucide-react';
import { Link } from 'wouter';
import { everyBySize } from '../../api/hooks.ts';
import type { Page, StreamStatus } from '../../api/types.ts';
import { useList } from '../../api/use-list.ts';
import { toPart } from '../../lib/path-part.ts';
import { nameText } from '../states/name-text.ts';
import styles from './streams.module.css';

/** Where a stream, a group or an item is shown. */
export const streamHref = (...names: readonly string[]): string => ['/streams', ...names.map(toPart)].join('/');

interface Props {
  streams: readonly StreamStatus[];
  stream: string | undefined;
  group: string | undefined;
}

export function StreamList({ streams, stream, group }: Props) {
  return (
    <nav aria-label="Streams" className={styles.streams}>
      <ul>
        {streams.map(({ name, guarded, clients = 0 }) => (
          <li key={name}>
            <Link
              href={streamHref(name)}
              className={styles.stream}
              aria-current={name === stream && group === undefined ? 'page' : undefined}
              data-open={name === stream || undefined}
            >
              <ChevronRight size={13} aria-hidden className={styles.arrow} />
              <RadioTower size={14} strokeWidth={1.75} aria-hidden />
              <span>{name}</span>
              {clients > 0 && (
                <small title={`${clients} clients follow something of it at this gateway`} className={styles.clients}>
                  <Users size={11} aria-hidden />
                  {clients}
                </small>
              )}
              {guarded && <Lock size={12} aria-label="guarded by canAccess" />}
            </Link>
            {name === stream && <GroupList stream={name} group={group} />}
          </li>
        ))}
      </ul>
    </nav>
  );
}

function GroupList({ stream, group }: { stream: string; group: string | undefined }) {
  const list = useList<Page<{ group: string }>, 'items'>(`/streams/${toPart(stream)}/groups`, {
    ...{ field: 'items', by: 'after', limit: 200, every: everyBySize },
  });
  // One that is linked to may be empty, or on a later page.
  const names = list.rows.map(({ group }) => group);
  if (group !== undefined && !names.includes(group)) names.unshift(group);
  if (names.length === 0) return <p className={styles.none}>{list.isLoading ? 'Loading…' : 'No groups yet'}</p>;
  return (
    <ul aria-label={`Groups of ${stream}`}>
      {names.map((name) => (
        <li key={name}>
          <Link
            href={streamHref(stream, name)}
            className={styles.groupLink}
            aria-current={name === group ? 'page' : undefined}
          >
            {nameText(name)}
          </Link>
        </li>
      ))}
      {list.hasMore && (
        <li>
          <button type="button" className={styles.more} onClick={list.loadMore} disabled={list.isLoadingMore}>
            More groups
          </button>
        </li>
      )}
    </ul>
  );
}
