/** What a node of the graph is given. Components of the project's own get the same. */
import type { StepEntry } from '../../../api/types.ts';
import type { Side } from '../placing.ts';

/** Of React Flow, hence a type and no interface. */
export type StepNodeData = Record<string, unknown> &
  StepEntry & {
    sourceSide: Side;
    targetSide: Side;
    onSource: (step: string) => void;
    onSide: (step: string, which: 'source' | 'target', side: Side) => void;
  };

export interface StepNodeProps {
  id: string;
  data: StepNodeData;
  selected?: boolean | undefined;
}
