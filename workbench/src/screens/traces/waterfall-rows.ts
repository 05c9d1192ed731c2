/** A trace as rows in the order of a tree, each with its place on the time line. Pure. */
import type { LogRecord, SpanNode, Trace } from '../../api/types.ts';

export interface Row {
  span: SpanNode;
  depth: number;
  /** Spans below it, at any depth. */
  below: number;
  isOpen: boolean;
  /** Shares of the whole, from 0 to 1. */
  from: number;
  width: number;
  /** Before `from`: how long its message waited, where that is known. */
  waited: number;
  /** Where on the time line something was logged. */
  marks: { at: number; level: string }[];
}

/** Bars of what takes no time are still seen. */
const LEAST_WIDTH = 0.002;

/** When it began and how long it takes, in ms; up to now while it goes on. */
export function extentOf({ roots, durationMs, status }: Trace, now: number): { start: number; length: number } {
  const start = Math.min(...roots.map((root) => root.start));
  const length = status === 'running' ? Math.max(now - start, durationMs) : durationMs;
  return { start, length: Math.max(length, 0.1) };
}

/** @param closed ids of spans whose children are not shown. */
export function toRows(trace: Trace, closed: ReadonlySet<string>, now: number): Row[] {
  const { start, length } = extentOf(trace, now);
  const share = (time: number) => Math.min(Math.max((time - start) / length, 0), 1);
  const logs = logsBySpan(trace.logs);
  const rows: Row[] = [];
  const add = (span: SpanNode, depth: number): number => {
    const from = share(span.start);
    const end = span.end ?? (span.missing ? span.start : now);
    const isOpen = !closed.has(span.spanId);
    const row: Row = {
      ...{ span, depth, below: 0, isOpen, from },
      width: Math.max(share(end) - from, LEAST_WIDTH),
      waited: Math.max(from - share(span.start - waitOf(span)), 0),
      marks: (logs.get(span.spanId) ?? []).map(({ time, level }) => ({ at: share(Date.parse(time)), level })),
    };
    if (isShown) rows.push(row);
    const wasShown = isShown;
    isShown &&= isOpen;
    for (const child of span.children) row.below += 1 + add(child, depth + 1);
    isShown = wasShown;
    return row.below;
  };
  let isShown = true;
  for (const root of trace.roots) add(root, 0);
  return rows;
}

export function logsBySpan(logs: readonly LogRecord[]): Map<string, LogRecord[]> {
  const found = new Map<string, LogRecord[]>();
  for (const log of logs) {
    if (log.spanId === undefined) continue;
    const of = found.get(log.spanId);
    if (of) of.push(log);
    else found.set(log.spanId, [log]);
  }
  return found;
}

/** Ms that its message had been stored when it began; less than one is not told. */
export function waitOf({ attributes }: SpanNode): number {
  const wait = Number(attributes?.['motia.queue.wait_ms'] ?? 0);
  return wait >= 1 ? wait : 0;
}

export function findSpan(spans: readonly SpanNode[], id: string | undefined): SpanNode | undefined {
  for (const span of spans) {
    const found = span.spanId === id ? span : findSpan(span.children, id);
    if (found) return found;
  }
  return undefined;
}

export const countSpans = (spans: readonly SpanNode[]): number =>
  spans.reduce((sum, span) => sum + (span.missing ? 0 : 1) + countSpans(span.children), 0);
