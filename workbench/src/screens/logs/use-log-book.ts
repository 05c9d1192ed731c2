/** The log under some filters, as long as somebody sees it. */
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import type { Query } from '../../api/address.ts';
import { useVisible } from '../../lib/use-visible.ts';
import { LogBook, type LogView } from './log-book.ts';

/** @param isHeld whether new records wait. */
export function useLogBook(
  query: Query,
  follows: boolean,
  isHeld: boolean,
): LogView & Pick<LogBook, 'loadMore' | 'restart'> {
  const key = JSON.stringify(query);
  const book = useMemo(() => new LogBook(JSON.parse(key) as Query, follows), [key, follows]);
  const isVisible = useVisible();
  useEffect(() => {
    if (!isVisible) return;
    book.start();
    return () => book.stop();
  }, [book, isVisible]);
  useEffect(() => book.hold(isHeld), [book, isHeld]);
  const view = useSyncExternalStore(book.subscribe, book.view);
  return { ...view, loadMore: book.loadMore, restart: book.restart };
}
