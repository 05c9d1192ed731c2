/** Which values of state the runs of a trace have read or written, as its spans tell. */
import type { SpanNode, Trace } from './telemetry-trace.ts';

export interface TouchedState {
  group: string;
  /** Absent for what was done with a group as a whole. */
  key?: string;
  /** What was done, each once, in its order: `set`, `get`, … */
  operations: string[];
  wrote: boolean;
}

const WRITES: ReadonlySet<string> = new Set(['set', 'update', 'delete', 'clear']);

/** Each once, in the order in which they were touched first. */
export function touchedState({ roots }: Pick<Trace, 'roots'>): TouchedState[] {
  const found = new Map<string, TouchedState>();
  const look = ({ name, attributes = {}, children }: SpanNode) => {
    const { 'motia.state.group': group, 'motia.state.key': key, 'db.operation.name': operation } = attributes;
    if (name.startsWith('state.') && typeof group === 'string' && typeof operation === 'string') {
      const place = JSON.stringify([group, key]);
      const touched = found.get(place) ?? {
        ...{ group, ...(typeof key === 'string' && { key }) },
        ...{ operations: [], wrote: false },
      };
      if (!touched.operations.includes(operation)) touched.operations.push(operation);
      touched.wrote ||= WRITES.has(operation);
      found.set(place, touched);
    }
    children.forEach(look);
  };
  roots.forEach(look);
  return [...found.values()];
}
