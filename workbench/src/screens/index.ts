/** The screens, in the order of the navigation. A new one is a folder beside this file and an entry here. */
import { Activity, type LucideIcon, Send, Workflow } from 'lucide-react';
import { type ComponentType, lazy } from 'react';

export interface Screen {
  /** First part of its path. */
  id: string;
  title: string;
  icon: LucideIcon;
  /** `g` and then this key leads there. */
  key: string;
  /** What one does there, for the command palette. */
  about: string;
  /** Of its link, for tests. */
  testId: string;
  /** Loaded when it is first shown. It reads the rest of the path by `useRoute`. */
  Component: ComponentType;
}

export const SCREENS: readonly Screen[] = [
  {
    id: 'flows',
    title: 'Flows',
    icon: Workflow,
    key: 'f',
    about: 'What leads where, and what runs now',
    testId: 'flows-link',
    Component: lazy(() => import('./flows/flows.tsx')),
  },
  {
    id: 'endpoints',
    title: 'Endpoints',
    icon: Send,
    key: 'e',
    about: 'Call the routes of the app',
    testId: 'endpoints-link',
    Component: lazy(() => import('./endpoints/endpoints.tsx')),
  },
  {
    id: 'traces',
    title: 'Traces',
    icon: Activity,
    key: 't',
    about: 'What happened, across steps and languages',
    testId: 'tracing-link',
    Component: lazy(() => import('./traces/traces.tsx')),
  },
];
