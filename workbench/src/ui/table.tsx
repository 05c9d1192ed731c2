// biome-ignore-all lint/a11y/useSemanticElements: rows are placed one by one, which those of a table element cannot be
// biome-ignore-all lint/a11y/noNoninteractiveTabindex: the table scrolls, so keys must reach it
// biome-ignore-all lint/a11y/useFocusableInteractive: the link of a row has the focus
/** Rows in columns, of which only those in sight are in the page: thousands of them scroll as a few do. */
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type CSSProperties,
  type ReactNode,
  type UIEvent,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useLocation } from 'wouter';
import { useShortcut } from '../lib/shortcuts.ts';
import { classNames } from './class-names.ts';
import { Hidden } from './hidden.tsx';
import styles from './table.module.css';
import { TableRow } from './table-row.tsx';

export interface Column<Row> {
  id: string;
  title: string;
  /** As a column of a CSS grid: `1fr`, `90px`, `minmax(120px, 2fr)`. */
  width: string;
  align?: 'right';
  /** Left out where the table is narrower than so many pixels: beside a panel, on a small screen. */
  from?: number;
  /** The title is only for those who hear the page. */
  untitled?: boolean;
  cell: (row: Row, index: number) => ReactNode;
}

interface TableProps<Row> {
  /** What the rows are, for those who hear the page. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Where a row leads; its first cell is the link, and the whole row is where it is clicked. */
  rowHref?: (row: Row) => string;
  /** Key of the row that is open. */
  selected?: string | undefined;
  /** Attributes of a row for tests. */
  rowTestId?: (row: Row) => string;
  /** A class name of every row, for tests and tutorials of projects. */
  rowClass?: string;
  /** Called when the last rows come into sight. */
  onEnd?: () => void;
  /** After the last row: that there is more, or that this is all. */
  footer?: ReactNode;
  testId?: string;
  /** Rows of less height, for what is read rather than chosen. */
  dense?: boolean;
  /** Told when the first row comes into sight, or leaves it: what comes at the top would move the rows under one's eyes. */
  onTop?: (isAtTop: boolean) => void;
}

const ROW_HEIGHT = 36;
const DENSE_HEIGHT = 28;
const HEAD_HEIGHT = 31;
/** So many rows from the end, more are asked for. */
const NEAR_END = 20;

export function Table<Row>(props: TableProps<Row>) {
  const {
    label,
    columns: all,
    rows,
    rowKey,
    rowHref,
    selected,
    rowTestId,
    rowClass,
    onEnd,
    onTop,
    footer,
    testId,
    dense = false,
  } = props;
  const rowHeight = dense ? DENSE_HEIGHT : ROW_HEIGHT;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: HEAD_HEIGHT,
    scrollPaddingStart: HEAD_HEIGHT,
  });
  const width = useWidth(scroller);
  const columns = useMemo(() => all.filter(({ from = 0 }) => width >= from), [all, width]);
  const [, navigate] = useLocation();
  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && lastIndex >= rows.length - NEAR_END) onEnd?.();
  }, [lastIndex, rows.length, onEnd]);

  const move = (step: 1 | -1) => {
    if (!rowHref) return;
    const at = rows.findIndex((row) => rowKey(row) === selected);
    const index = at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1);
    const row = rows[index];
    if (!row) return;
    virtual.scrollToIndex(index, { align: 'auto' });
    navigate(rowHref(row));
  };
  useShortcut('j', 'Next row', () => move(1), rowHref !== undefined);
  useShortcut('k', 'Previous row', () => move(-1), rowHref !== undefined);

  const watchTop =
    onTop && (({ currentTarget }: UIEvent<HTMLElement>) => onTop(currentTarget.scrollTop < rowHeight / 2));
  const grid = { '--columns': columns.map(({ width }) => width).join(' '), '--row': `${rowHeight}px` } as CSSProperties;
  return (
    <div
      ref={scroller}
      role="table"
      tabIndex={0}
      onScroll={watchTop}
      aria-label={label}
      aria-rowcount={rows.length + 1}
      className={styles.table}
      style={grid}
      data-testid={testId}
    >
      <Head columns={columns} />
      <div role="rowgroup" className={styles.rows} style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const key = rowKey(row);
          return (
            <TableRow<Row>
              key={key}
              row={row}
              index={index}
              columns={columns}
              top={start - HEAD_HEIGHT}
              href={rowHref?.(row)}
              isSelected={key === selected}
              testId={rowTestId?.(row)}
              className={rowClass}
            />
          );
        })}
      </div>
      {footer && <div className={styles.footer}>{footer}</div>}
    </div>
  );
}

/** Of an element, in pixels; before it is known, there is all the room that one may want. */
function useWidth(place: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(Number.POSITIVE_INFINITY);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return width;
}

function Head<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  return (
    <div role="rowgroup" className={styles.head}>
      <div role="row" aria-rowindex={1} className={styles.headRow}>
        {columns.map(({ id, title, align, untitled }) => (
          <div key={id} role="columnheader" className={classNames(styles.cell, align === 'right' && styles.right)}>
            {untitled ? <Hidden>{title}</Hidden> : title}
          </div>
        ))}
      </div>
    </div>
  );
}
