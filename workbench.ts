/** Types of `motia/workbench`: what a component of a project's own, which shows a step in its flow, may import. The Workbench has the code. */
import type { FC, ReactNode } from 'react';
import type { StepEntry } from './shared/steps/manifest.ts';

/** At which side of a node a dot is. */
export type Side = 'top' | 'right' | 'bottom' | 'left';

/** What a component is given. */
export interface NodeProps {
  /** Of the step. */
  id: string;
  /** What the step says about itself, as the Workbench has it. */
  data: StepEntry;
  selected?: boolean;
  children?: ReactNode;
}

export type ApiNodeProps = NodeProps;
export type EventNodeProps = NodeProps;
export type CronNodeProps = NodeProps;
export type NoopNodeProps = NodeProps;

export interface BaseNodeProps extends NodeProps {
  /** Default: the name of the step. */
  title?: string;
  /** Default: its description. */
  subtitle?: string;
  variant: 'api' | 'event' | 'cron' | 'noop';
  /** Without the dot at its start. */
  disableTargetHandle?: boolean;
  /** Without the dot at its end. */
  disableSourceHandle?: boolean;
}

export interface BaseHandleProps {
  type: 'source' | 'target';
  position: Side;
}

export declare const ApiNode: FC<ApiNodeProps>;
export declare const EventNode: FC<EventNodeProps>;
export declare const CronNode: FC<CronNodeProps>;
export declare const NoopNode: FC<NoopNodeProps>;
export declare const BaseNode: FC<BaseNodeProps>;
export declare const BaseHandle: FC<BaseHandleProps>;
export declare const Position: { Top: 'top'; Right: 'right'; Bottom: 'bottom'; Left: 'left' };

/** What is done before a step of a tutorial is shown. */
export type TutorialAction =
  | { type: 'click'; selector: string; optional?: boolean }
  /** Writes the body of the request of the endpoint that is open. */
  | { type: 'fill-editor'; content: unknown };

/** A step of `tutorial/tutorial.tsx`, which exports them as `steps`. */
export interface TutorialStep {
  title: string;
  description: FC;
  /** Of the page's own origin, or a `data:` URL: nothing is loaded from elsewhere. */
  image?: { src: string; height: number };
  link?: string;
  /** XPath of what it is about. */
  elementXpath?: string;
  before?: TutorialAction[];
}

/** Where parts of the page are, as XPath. Indexes begin with 1. */
export declare const workbenchXPath: {
  sidebarContainer: string;
  closePanelButton: string;
  bottomPanel: string;
  flows: Record<'dropdownFlow' | 'feature' | 'previewButton' | 'node', (id: string) => string>;
  endpoints: { endpoint: (method: string, path: string) => string } & Record<
    'callPanel' | 'callTab' | 'response' | 'playButton',
    string
  >;
  tracing: Record<'trace' | 'timeline', (index: number) => string> & { details: string };
  logs: Record<'container' | 'searchContainer' | 'row', string> & { traceColumn: (index: number) => string };
  states: { container: string; row: (index: number) => string };
  links: Record<'flows' | 'endpoints' | 'tracing' | 'logs' | 'states', string>;
};
