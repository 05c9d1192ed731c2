/** A flow as a graph: its steps, and the topics that lead from one to the other. Pure. */
import type { EmitEntry, StepEntry } from '../../api/types.ts';
import { byFlow, flowsOfStep } from '../../lib/flow-names.ts';

export interface TopicEdge {
  id: string;
  /** Ids of steps. */
  source: string;
  target: string;
  topics: string[];
  /** Drawn only: the topic is among the virtual ones of one of the two steps. */
  isVirtual: boolean;
  /** What the emit is labelled with, or the topic. */
  label: string;
  /** The emit is not always made. */
  isConditional: boolean;
}

export interface FlowSummary {
  id: string;
  steps: number;
}

/** All flows, by name; the steps without one come last. */
export function flowsOf(steps: readonly StepEntry[]): FlowSummary[] {
  const counts = new Map<string, number>();
  for (const step of steps) for (const flow of flowsOfStep(step)) counts.set(flow, (counts.get(flow) ?? 0) + 1);
  return [...counts].map(([id, steps]) => ({ id, steps })).sort((a, b) => byFlow(a.id, b.id));
}

/** Topics between the steps of a flow. Several of the same kind between the same two are one edge. */
export function edgesOf(steps: readonly StepEntry[]): TopicEdge[] {
  const edges = new Map<string, TopicEdge>();
  for (const source of steps) {
    const emits = [
      ...source.emits.map((emit) => ({ emit, isVirtual: false })),
      ...source.virtualEmits.map((emit) => ({ emit, isVirtual: true })),
    ];
    for (const { emit, isVirtual } of emits) {
      for (const target of steps) {
        const isHeard = target.subscribes?.includes(emit.topic) ?? false;
        if (!isHeard && !target.virtualSubscribes.includes(emit.topic)) continue;
        add(edges, source.id, target.id, emit, isVirtual || !isHeard);
      }
    }
  }
  return [...edges.values()];
}

function add(
  edges: Map<string, TopicEdge>,
  source: string,
  target: string,
  { topic, label = topic, conditional = false }: EmitEntry,
  isVirtual: boolean,
): void {
  const id = [source, target, isVirtual, conditional].join(' ');
  const edge = edges.get(id);
  if (!edge) {
    edges.set(id, { ...{ id, source, target, topics: [topic], isVirtual, label }, isConditional: conditional });
  } else if (!edge.topics.includes(topic)) {
    edge.topics.push(topic);
    edge.label = `${edge.label}, ${label}`;
  }
}

/** Whether something leads to a step, or from it: then it has a dot there. */
export const hasInput = ({ subscribes = [], virtualSubscribes }: StepEntry): boolean =>
  subscribes.length + virtualSubscribes.length > 0;
export const hasOutput = ({ emits, virtualEmits }: StepEntry): boolean => emits.length + virtualEmits.length > 0;
