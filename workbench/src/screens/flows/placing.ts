/** Where the steps of a flow are: where people have put them, and the others in the order in which topics lead to them. Pure. */
import dagre from '@dagrejs/dagre';
import type { StepEntry } from '../../api/types.ts';
import type { TopicEdge } from './graph.ts';

export type Side = 'bottom' | 'right' | 'left' | 'top';

/** As in `motia-workbench.json`. */
export interface Place {
  x: number;
  y: number;
  sourceHandlePosition?: Side | undefined;
  targetHandlePosition?: Side | undefined;
}

export const NODE_WIDTH = 250;
export const NODE_HEIGHT = 104;

/** @param saved by the file of a step; what is at the very origin counts as not placed. */
export function placesOf(
  steps: readonly StepEntry[],
  edges: readonly TopicEdge[],
  saved: Readonly<Record<string, Place>> = {},
): Map<string, Place> {
  const isPlaced = ({ x, y }: Place) => x !== 0 || y !== 0;
  const found = new Map<string, Place>();
  let arranged: Map<string, Place> | undefined;
  for (const { id, file } of steps) {
    const place = saved[file];
    if (place && isPlaced(place)) {
      found.set(id, place);
      continue;
    }
    arranged ??= arrange(steps, edges);
    found.set(id, { ...place, ...(arranged.get(id) ?? { x: 0, y: 0 }) });
  }
  return found;
}

/** All of them anew, from left to right. */
export function arrange(steps: readonly StepEntry[], edges: readonly TopicEdge[]): Map<string, Place> {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 36, ranksep: 120, marginx: 20, marginy: 20 });
  for (const { id } of steps) graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const { id, source, target } of edges) graph.setEdge(source, target, {}, id);
  dagre.layout(graph);
  return new Map(
    steps.map(({ id }) => {
      const { x, y } = graph.node(id);
      return [id, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) }];
    }),
  );
}
