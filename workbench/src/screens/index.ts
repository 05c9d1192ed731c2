/** The screens, in the order of the navigation. A new one is a folder beside this file and an entry here. */
import {
  Activity,
  CalendarClock,
  Database,
  Inbox,
  type LucideIcon,
  RadioTower,
  ScrollText,
  Send,
  Workflow,
} from 'lucide-react';
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
  {
    id: 'logs',
    title: 'Logs',
    icon: ScrollText,
    key: 'l',
    about: 'What steps and processes have written, live',
    testId: 'logs-link',
    Component: lazy(() => import('./logs/logs.tsx')),
  },
  {
    id: 'states',
    title: 'States',
    icon: Database,
    key: 's',
    about: 'Values that steps share: look, change, add',
    testId: 'states-link',
    Component: lazy(() => import('./states/states.tsx')),
  },
  {
    id: 'streams',
    title: 'Streams',
    icon: RadioTower,
    key: 'r',
    about: 'Items that clients follow, live, and who follows them',
    testId: 'streams-link',
    Component: lazy(() => import('./streams/streams.tsx')),
  },
  {
    id: 'queues',
    title: 'Queues',
    icon: Inbox,
    key: 'q',
    about: 'What waits and why; dead letters; events with a delay',
    testId: 'queues-link',
    Component: lazy(() => import('./queues/queues.tsx')),
  },
  {
    id: 'cron',
    title: 'Cron',
    icon: CalendarClock,
    key: 'c',
    about: 'Steps on a schedule: next and last ticks',
    testId: 'cron-link',
    Component: lazy(() => import('./cron/cron.tsx')),
  },
];
