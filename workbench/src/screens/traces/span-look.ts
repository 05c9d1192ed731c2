/** What a span is to people: its colour, its step and language, and what it is called beside its step. Pure. */
import { AlarmClock, Database, Globe, type LucideIcon, Play, Radio, Send, Waypoints } from 'lucide-react';
import type { SpanNode } from '../../api/types.ts';
import type { Tone } from '../../ui/badge.tsx';

export interface SpanLook {
  tone: Tone;
  icon: LucideIcon;
}

export function lookOf({ kind, name, attributes = {} }: SpanNode): SpanLook {
  if (kind === 'server') return { tone: 'api', icon: Globe };
  if (kind === 'producer') return { tone: 'event', icon: Send };
  if (kind === 'consumer') return { tone: 'event', icon: Play };
  if (attributes['faas.trigger'] === 'timer' || name.startsWith('cron ')) return { tone: 'cron', icon: AlarmClock };
  if (name.startsWith('stream.')) return { tone: 'noop', icon: Radio };
  if (kind === 'client') return { tone: 'noop', icon: Database };
  return stepOf({ attributes }) === undefined ? { tone: 'plain', icon: Waypoints } : { tone: 'api', icon: Play };
}

export function stepOf({ attributes }: Pick<SpanNode, 'attributes'>): string | undefined {
  const step = attributes?.['motia.step.name'];
  return typeof step === 'string' ? step : undefined;
}

/** Of a run, by the file of its code. */
export function languageOf({ attributes }: SpanNode): 'Python' | 'TypeScript' | 'JavaScript' | undefined {
  const file = attributes?.['code.file.path'];
  if (typeof file !== 'string') return undefined;
  if (file.endsWith('.py')) return 'Python';
  return /\.[cm]?ts$/.test(file) ? 'TypeScript' : 'JavaScript';
}

/** The attempt of a run, when it is not the first. */
export function attemptOf({ attributes }: SpanNode): number | undefined {
  const attempt = Number(attributes?.['motia.attempt'] ?? 1);
  return attempt > 1 ? attempt : undefined;
}

/** What a span is called first, and what is said beside it. A run of an event is known by its step. */
export function wordsOf(span: SpanNode): { title: string; detail: string | undefined } {
  const { name, kind, missing, attributes = {} } = span;
  const step = stepOf(span);
  if (missing) return { title: 'not recorded', detail: undefined };
  if (kind === 'consumer' && step !== undefined) {
    return { title: step, detail: String(attributes['messaging.destination.name'] ?? name) };
  }
  return { title: name, detail: step !== undefined && !name.includes(step) ? step : targetOf(span) };
}

/** What an operation is about: `orders / order-1` of state. */
export function targetOf({ attributes = {} }: SpanNode): string | undefined {
  const parts = ['motia.stream', 'motia.state.group', 'motia.stream.group', 'motia.state.key', 'motia.stream.id'];
  const found = parts.map((name) => attributes[name]).filter((value) => value !== undefined);
  return found.length > 0 ? found.join(' / ') : undefined;
}
