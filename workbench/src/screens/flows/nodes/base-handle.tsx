/** A dot at which edges begin or end. Clicked, it moves to the other side that it may be at. */
import { Handle, Position } from '@xyflow/react';
import type { Side } from '../placing.ts';
import styles from './base-handle.module.css';

interface BaseHandleProps {
  type: 'source' | 'target';
  position: Side | Position;
  onToggle?: (side: Side) => void;
}

const POSITIONS: Record<Side, Position> = {
  top: Position.Top,
  bottom: Position.Bottom,
  left: Position.Left,
  right: Position.Right,
};
const OTHER_SIDE: Record<'source' | 'target', (side: Side) => Side> = {
  source: (side) => (side === 'right' ? 'bottom' : 'right'),
  target: (side) => (side === 'left' ? 'top' : 'left'),
};

export function BaseHandle({ type, position, onToggle }: BaseHandleProps) {
  const next = OTHER_SIDE[type](position);
  return (
    <Handle
      type={type}
      position={POSITIONS[position]}
      isConnectable={false}
      className={styles.handle}
      title={`Move to the ${next}`}
      onClick={(event) => {
        event.stopPropagation();
        onToggle?.(next);
      }}
    />
  );
}
