/** An answer that is an item of a realtime stream: shown as it is now, and as it changes. */
import { Stream } from 'motia-stream-client';
import { useEffect, useState } from 'react';
import { Badge } from '../../ui/badge.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import type { Auth } from './draft.ts';
import styles from './live-item.module.css';

interface StreamItem {
  streamName: string;
  groupId: string;
  id: string;
}

/** Where an answer belongs, if it is an item of a stream. */
export function streamItemOf(value: unknown): StreamItem | undefined {
  const { __motia: mark } = (value ?? {}) as { __motia?: Partial<StreamItem> & { type?: string } };
  if (mark?.type !== 'state-stream' || !mark.streamName || !mark.groupId || !mark.id) return undefined;
  return { streamName: mark.streamName, groupId: mark.groupId, id: mark.id };
}

interface Props {
  /** The item as it was answered. */
  first: unknown;
  item: StreamItem;
  /** A bearer token is offered to the stream as well. */
  auth: Auth;
}

export function LiveItem({ first, item: { streamName, groupId, id }, auth }: Props) {
  const [state, setState] = useState({ value: first, changes: 0, isGone: false });
  const token = auth.kind === 'bearer' ? auth.token : '';
  useEffect(() => {
    const stream = new Stream(window.location.origin, token === '' ? {} : { authToken: token });
    const item = stream.subscribeItem(streamName, groupId, id);
    item.addChangeListener((value) =>
      setState(({ value: before, changes }) => ({
        value: value ?? before,
        changes: changes + 1,
        isGone: value === null,
      })),
    );
    return () => stream.close();
  }, [streamName, groupId, id, token]);
  return (
    <div className={styles.item} data-testid="endpoint-live-item">
      <p className={styles.head}>
        <Badge tone={state.isGone ? 'bad' : 'ok'}>{state.isGone ? 'removed' : 'live'}</Badge>
        <span>
          item of <code>{streamName}</code>, group <code>{groupId}</code>
        </span>
        <span key={state.changes} className={styles.changes}>
          {state.changes} {state.changes === 1 ? 'change' : 'changes'}
        </span>
      </p>
      <JsonView value={state.value} what="the item" />
    </div>
  );
}
