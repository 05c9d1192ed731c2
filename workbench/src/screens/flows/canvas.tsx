/** The graph of a flow, which people move about in and put in order. */
import '@xyflow/react/dist/style.css';
import {
  Background,
  Controls,
  type Edge,
  MarkerType,
  type Node,
  type NodeTypes,
  ReactFlow,
  useNodesState,
  useReactFlow,
  useStore,
} from '@xyflow/react';
import { useEffect, useMemo, useRef } from 'react';
import type { StepEntry } from '../../api/types.ts';
import { useTheme } from '../../lib/theme.ts';
import styles from './canvas.module.css';
import { edgesOf } from './graph.ts';
import { CustomNode } from './nodes/custom-node.tsx';
import { ApiNode, CronNode, EventNode, NoopNode } from './nodes/kinds.tsx';
import type { StepNodeData } from './nodes/node-types.ts';
import { NODE_HEIGHT, NODE_WIDTH, type Place, placesOf, type Side } from './placing.ts';
import { TopicEdge } from './topic-edge.tsx';

interface CanvasProps {
  flow: string;
  steps: readonly StepEntry[];
  /** Where steps are, by their file. */
  saved: Readonly<Record<string, Place>>;
  onSave: (places: Record<string, Place>) => void;
  /** Ids of the steps that a component of the project shows. */
  custom: readonly string[];
  selected: string | undefined;
  onSelect: (step: string | undefined) => void;
  onSource: (step: string) => void;
}

type StepNode = Node<StepNodeData>;

const NODES = {
  api: ApiNode,
  event: EventNode,
  cron: CronNode,
  noop: NoopNode,
  custom: CustomNode,
} as unknown as NodeTypes;
const EDGES = { topic: TopicEdge };
const FIT = { padding: 0.15, maxZoom: 1.1 };

export function Canvas(props: CanvasProps) {
  const { flow, steps, saved, onSave, custom, selected, onSelect, onSource } = props;
  const { isDark } = useTheme();
  const isMoved = useRef(false);
  const edges = useMemo(() => edgesOf(steps), [steps]);
  const places = useMemo(() => placesOf(steps, edges, saved), [steps, edges, saved]);
  const [nodes, setNodes, onNodesChange] = useNodesState<StepNode>([]);

  const save = (changed: readonly StepNode[]) =>
    onSave(Object.fromEntries(changed.map(({ data, position }) => [data.file, placeOf(data, position)])));
  const onSide = (step: string, which: 'source' | 'target', side: Side) => {
    const name = which === 'source' ? 'sourceSide' : 'targetSide';
    const changed = nodes.map((node) => (node.id === step ? { ...node, data: { ...node.data, [name]: side } } : node));
    setNodes(changed);
    save(changed);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: what nodes call is taken as it is when they are made anew
  useEffect(() => {
    setNodes((before) =>
      steps.map((step) => {
        const place = places.get(step.id) ?? { x: 0, y: 0 };
        const known = before.find(({ id }) => id === step.id);
        return {
          ...known,
          id: step.id,
          type: custom.includes(step.id) ? 'custom' : step.type,
          position: { x: place.x, y: place.y },
          data: {
            ...step,
            sourceSide: place.sourceHandlePosition ?? 'right',
            targetSide: place.targetHandlePosition ?? 'left',
            onSource,
            onSide,
          },
        };
      }),
    );
  }, [steps, places, custom, setNodes]);

  const shown = nodes.map((node) => ({
    ...node,
    selected: node.id === selected,
    data: { ...node.data, onSource, onSide },
  }));
  return (
    <ReactFlow
      key={flow}
      className={styles.canvas ?? ''}
      aria-label={`Graph of ${flow}`}
      colorMode={isDark ? 'dark' : 'light'}
      nodes={shown}
      edges={edges.map(toEdge)}
      nodeTypes={NODES}
      edgeTypes={EDGES}
      onNodesChange={onNodesChange}
      onNodeDragStop={() => save(nodes)}
      onNodeClick={(_event, { id }) => onSelect(id)}
      onPaneClick={() => onSelect(undefined)}
      nodesConnectable={false}
      deleteKeyCode={null}
      minZoom={0.1}
      maxZoom={2}
      fitView
      fitViewOptions={FIT}
      onMoveStart={(event) => {
        if (event) isMoved.current = true;
      }}
    >
      <Background gap={20} size={1} />
      <Controls
        showInteractive={false}
        position="bottom-right"
        fitViewOptions={FIT}
        onZoomIn={() => (isMoved.current = true)}
        onZoomOut={() => (isMoved.current = true)}
        onFitView={() => (isMoved.current = false)}
      />
      <KeepInSight id={selected} isMoved={isMoved} />
    </ReactFlow>
  );
}

interface Sight {
  /** The chosen node. */
  id: string | undefined;
  /** Somebody has moved the graph about. */
  isMoved: { current: boolean };
}

/** When the place of the graph changes: brings the chosen node into sight, which the panel that opens for it may cover; else all, unless it was moved. */
function KeepInSight({ id, isMoved }: Sight) {
  const { getInternalNode, getViewport, setCenter, fitView } = useReactFlow();
  const width = useStore(({ width }) => width);
  const height = useStore(({ height }) => height);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is what all of it has to fit into
  useEffect(() => {
    if (id === undefined && !isMoved.current) void fitView(FIT);
    const node = id === undefined ? undefined : getInternalNode(id);
    if (!node) return;
    const { x, zoom } = getViewport();
    const { positionAbsolute } = node.internals;
    const left = positionAbsolute.x * zoom + x;
    if (left >= 0 && left + NODE_WIDTH * zoom <= width) return;
    void setCenter(positionAbsolute.x + NODE_WIDTH / 2, positionAbsolute.y + NODE_HEIGHT / 2, { zoom });
  }, [id, isMoved, width, height, getInternalNode, getViewport, setCenter, fitView]);
  return null;
}

const placeOf = ({ sourceSide, targetSide }: StepNodeData, { x, y }: { x: number; y: number }): Place => ({
  x: Math.round(x),
  y: Math.round(y),
  sourceHandlePosition: sourceSide,
  targetHandlePosition: targetSide,
});

function toEdge(edge: ReturnType<typeof edgesOf>[number]): Edge {
  const { id, source, target, isVirtual } = edge;
  const color = isVirtual ? 'var(--line-strong)' : 'var(--kind-event)';
  return {
    ...{ id, source, target, type: 'topic', data: { ...edge }, focusable: false },
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color },
  };
}
