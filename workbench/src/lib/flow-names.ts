/** Flows of steps, and those that have none: they are shown together, under a name of ours. Pure. */

/** A project that has a flow of this name sees both in one. */
export const NO_FLOW = 'no-flow';

export const flowsOfStep = ({ flows }: { flows: readonly string[] }): readonly string[] =>
  flows.length > 0 ? flows : [NO_FLOW];

/** As people read it. */
export const flowTitle = (flow: string): string => (flow === NO_FLOW ? 'Without a flow' : flow);

/** By name; those without one come last. */
export const byFlow = (a: string, b: string): number =>
  Number(a === NO_FLOW) - Number(b === NO_FLOW) || (a < b ? -1 : 1);
