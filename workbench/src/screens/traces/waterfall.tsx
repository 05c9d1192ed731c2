/** The time line of a trace: a tree of spans at the left, when each ran at the right. Only the rows in sight are in the page. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { ChevronRight } from 'lucide-react';
import { type CSSProperties, type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Trace } from '../../api/types.ts';
import { durationText } from '../../lib/time.ts';
import { useNow } from '../../lib/use-now.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Hidden } from '../../ui/hidden.tsx';
import { attemptOf, languageOf, lookOf, wordsOf } from './span-look.ts';
import styles from './waterfall.module.css';
import { extentOf, type Row, toRows } from './waterfall-rows.ts';

interface WaterfallProps {
  trace: Trace;
  /** Id of the span that is open. */
  selected: string | undefined;
  spanHref: (spanId: string) => string;
  /** How many times as wide as the place there is. */
  zoom: number;
}

const ROW_HEIGHT = 30;
const RULER_HEIGHT = 26;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

export function Waterfall({ trace, selected, spanHref, zoom }: WaterfallProps) {
  const clock = useNow();
  const now = trace.status === 'running' ? clock : 0;
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => toRows(trace, closed, now), [trace, closed, now]);
  const { length } = extentOf(trace, now);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 15,
    scrollMargin: RULER_HEIGHT,
  });
  const toggle = (id: string) => {
    const next = new Set(closed);
    if (!next.delete(id)) next.add(id);
    setClosed(next);
  };
  return (
    <section ref={scroller} className={styles.scroller} aria-label="Time line" onKeyDown={moveFocus}>
      <div className={styles.content} style={{ '--zoom': zoom } as CSSProperties}>
        <div className={styles.ruler} aria-hidden>
          <span className={styles.rulerLabel}>Span</span>
          <div className={styles.ticks}>
            {TICKS.map((tick) => (
              <span key={tick} style={{ left: `${tick * 100}%` }}>
                {durationText(tick * length)}
              </span>
            ))}
          </div>
        </div>
        <ul className={styles.rows} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return row === undefined ? null : (
              <SpanRow
                key={row.span.spanId}
                row={row}
                top={start - RULER_HEIGHT}
                isSelected={row.span.spanId === selected}
                href={spanHref(row.span.spanId)}
                onToggle={() => toggle(row.span.spanId)}
              />
            );
          })}
        </ul>
      </div>
    </section>
  );
}

/** Arrows lead from row to row. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const sibling = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' } as const;
  const way = sibling[event.key as keyof typeof sibling];
  if (way === undefined) return;
  const next = (event.target as HTMLElement).closest('li')?.[way]?.querySelector('a');
  if (!next) return;
  event.preventDefault();
  next.focus();
}

interface SpanRowProps {
  row: Row;
  /** Pixels. */
  top: number;
  isSelected: boolean;
  href: string;
  onToggle: () => void;
}

function SpanRow({ row, top, isSelected, href, onToggle }: SpanRowProps) {
  const { span, depth, below, isOpen } = row;
  const { tone, icon: Icon } = lookOf(span);
  const { title, detail } = wordsOf(span);
  const attempt = attemptOf(span);
  const language = languageOf(span);
  return (
    <li
      className={styles.row}
      data-testid="trace-timeline-item"
      data-selected={isSelected || undefined}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div className={styles.label} style={{ paddingLeft: 10 + Math.min(depth, 14) * 14 }}>
        {span.children.length > 0 ? (
          <button
            type="button"
            className={styles.toggle}
            aria-expanded={isOpen}
            aria-label={isOpen ? `Hide what ${span.name} did` : `Show ${below} spans of ${span.name}`}
            onClick={onToggle}
          >
            <ChevronRight size={12} aria-hidden />
          </button>
        ) : (
          <span className={styles.noToggle} />
        )}
        <Icon size={13} aria-hidden className={styles.icon} data-tone={tone} />
        <Link href={href} className={styles.link} aria-current={isSelected || undefined}>
          <span className={classNames(styles.name, span.error !== undefined && styles.failed)}>{title}</span>
          {span.error !== undefined && <Hidden>failed</Hidden>}
        </Link>
        {detail !== undefined && <span className={styles.step}>{detail}</span>}
        {attempt !== undefined && <Badge tone="warn">attempt {attempt}</Badge>}
        {language === 'Python' && <Badge>Py</Badge>}
        {!isOpen && <Badge>+{below}</Badge>}
      </div>
      <Bar row={row} tone={tone} href={href} />
    </li>
  );
}

interface BarProps {
  row: Row;
  tone: Tone;
  href: string;
}

/** Says nothing that the label does not, and leads to the same. */
function Bar({ row: { span, from, width, waited, marks }, tone, href }: BarProps) {
  const percent = (share: number) => `${share * 100}%`;
  const failed = span.error !== undefined && styles.failedBar;
  return (
    <Link href={href} className={styles.track} aria-hidden tabIndex={-1}>
      {waited > 0 && <span className={styles.wait} style={{ left: percent(from - waited), width: percent(waited) }} />}
      <span
        data-tone={tone}
        className={classNames(styles.bar, failed, span.running && styles.running)}
        style={{ left: percent(from), width: percent(width) }}
      />
      {marks.map(({ at, level }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: marks have no name of their own, and are never moved
        <span key={index} className={styles.mark} data-level={level} style={{ left: percent(at) }} />
      ))}
      <span
        className={styles.duration}
        style={
          from + width > 0.85
            ? { right: percent(1 - from), marginRight: 6 }
            : { left: percent(from + width), marginLeft: 6 }
        }
      >
        {span.durationMs === undefined ? (span.missing ? '' : 'running') : durationText(span.durationMs)}
      </span>
    </Link>
  );
}
