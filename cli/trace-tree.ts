/** A trace as a tree in the terminal. Pure. */
import type { SpanNode, Trace } from '../shared/broker/telemetry-trace.ts';
import { shortText, shortTime } from './table.ts';

export interface DrawOptions {
  /** Columns of the terminal. */
  width: number;
  color: boolean;
}

const NARROWEST = 40;
const TIME_WIDTH = 9;
const BAR_WIDTH = 20;
/** Below it there is no room for bars. */
const BARS_FROM = 80;

/** How long the message of a run had waited. */
const WAIT = 'motia.queue.wait_ms';

/**
 * One line for each span: the tree with its names, how long it took, and when in the trace that was. Before the bar of a run is
 * how long its message had waited, if that is long enough to be seen. Below it the log.
 */
export function drawTrace(trace: Trace, { width, color }: DrawOptions): string {
  const paint = color ? painted : plain;
  const columns = Math.max(width, NARROWEST);
  const hasBars = columns >= BARS_FROM;
  const treeWidth = columns - TIME_WIDTH - 1 - (hasBars ? BAR_WIDTH + 1 : 0);
  const began = Date.parse(trace.startedAt);
  const lines = [`trace ${trace.traceId}`, headline(trace, paint), ''];

  const draw = (span: SpanNode, before: string, branch: string, inner: string) => {
    const label = shortText(labelOf(span, trace.durationMs), Math.max(treeWidth - before.length - branch.length, 8));
    const name = `${before}${branch}${label}`.padEnd(treeWidth);
    const time = timeOf(span).padStart(TIME_WIDTH);
    const bar = hasBars ? ` ${barOf(span, began, trace.durationMs)}` : '';
    lines.push(paint(span, `${name} ${time}${bar}`.trimEnd()));
    if (span.error !== undefined && span.error !== '') {
      const gap = `${before}${inner}${span.children.length > 0 ? '│ ' : '  '}`;
      lines.push(paint(span, `${gap}${shortText(span.error, Math.max(columns - gap.length, 8))}`));
    }
    span.children.forEach((child, index) => {
      const isLast = index === span.children.length - 1;
      draw(child, before + inner, isLast ? '└─ ' : '├─ ', isLast ? '   ' : '│  ');
    });
  };
  for (const root of trace.roots) draw(root, '', '', '');

  if (trace.logs.length > 0) lines.push('');
  for (const { time, level, step, msg } of trace.logs) {
    const offset = `+${duration(Date.parse(time) - began)}`.padStart(TIME_WIDTH);
    lines.push(`${offset} ${shortText(`${level} ${step ?? '-'}: ${msg}`, columns - TIME_WIDTH - 1)}`);
  }
  if (!trace.complete) lines.push('', 'There is more of this trace than can be shown');
  return lines.join('\n');
}

type Paint = (span: Pick<SpanNode, 'error' | 'running' | 'missing'>, text: string) => string;
const plain: Paint = (_, text) => text;
const painted: Paint = ({ error, running, missing }, text) => {
  const code = error !== undefined ? 31 : running ? 36 : missing ? 2 : 0;
  return code === 0 ? text : `\u001b[${code}m${text}\u001b[0m`;
};

function headline({ status, startedAt, durationMs }: Trace, paint: Paint): string {
  const text = `${status}, began ${shortTime(startedAt)}, ${duration(durationMs)}`;
  return paint({ ...(status === 'failed' && { error: '' }), running: status === 'running' }, text);
}

function labelOf(span: SpanNode, whole: number): string {
  const { name, attributes = {}, missing, error, running } = span;
  if (missing) return '(a span that is not stored, or goes on)';
  const attempt = Number(attributes['motia.attempt']);
  const step = attributes['motia.step.name'];
  const notes = [
    ...(typeof step === 'string' && !name.includes(step) ? [step] : []),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(error !== undefined ? ['failed'] : []),
    ...(showsWait(span, whole) ? [`waited ${duration(waitOf(span))}`] : []),
    ...(running ? ['running'] : []),
  ];
  return notes.length === 0 ? name : `${name} (${notes.join(', ')})`;
}

const timeOf = ({ durationMs }: SpanNode) => (durationMs === undefined ? '-' : duration(durationMs));

/** In ms. */
const waitOf = ({ attributes = {} }: SpanNode) => Number(attributes[WAIT]) || 0;

/** Whether the wait fills a cell of the bar. */
const showsWait = (span: SpanNode, whole: number) => waitOf(span) > 0 && waitOf(span) >= whole / BAR_WIDTH;

/** When the span was, within the whole trace, and before it the wait. */
function barOf(span: SpanNode, began: number, whole: number): string {
  const { start, durationMs = 0, missing } = span;
  if (missing || whole <= 0) return '';
  const from = Math.min(Math.max(Math.floor(((start - began) / whole) * BAR_WIDTH), 0), BAR_WIDTH - 1);
  const length = Math.min(Math.max(Math.round((durationMs / whole) * BAR_WIDTH), 1), BAR_WIDTH - from);
  const wait = showsWait(span, whole) ? Math.min(Math.round((waitOf(span) / whole) * BAR_WIDTH), from) : 0;
  return `${' '.repeat(from - wait)}${'┄'.repeat(wait)}${'▇'.repeat(length)}`;
}

/** `0.4 ms`, `12 ms`, `3.2 s`, `4 min`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Math.max(ms, 0).toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}
