/** An edge of the graph with the topics that go along it. */
import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react';
import { classNames } from '../../ui/class-names.ts';
import type { TopicEdge as Data } from './graph.ts';
import styles from './topic-edge.module.css';

export function TopicEdge(props: EdgeProps & { data?: Data & Record<string, unknown> }) {
  const { id, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, markerEnd, data } = props;
  const [path, x, y] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  if (!data) return null;
  const { isVirtual, isConditional, label, topics } = data;
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        {...(markerEnd !== undefined && { markerEnd })}
        className={classNames(styles.edge, isVirtual && styles.virtual)}
      />
      <EdgeLabelRenderer>
        <span
          className={classNames(styles.label, isConditional && styles.conditional)}
          title={topics.join('\n')}
          style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
        >
          {label}
        </span>
      </EdgeLabelRenderer>
    </>
  );
}
