/** A page that follows streams and keeps what it hears; the test asks it through the functions of `globalThis`. */
import { Stream, type StreamOptions, type StreamSubscription } from '../../../stream-client/src/index.ts';

interface Followed {
  subscription: StreamSubscription<unknown>;
  states: unknown[];
  events: unknown[];
}

let stream: Stream;
const connectionStates: string[] = [];
const followed = new Map<string, Followed>();

const functions = {
  connect(addresses: string[], options: StreamOptions = {}): void {
    stream = new Stream(addresses, { backoff: { first: 50 }, ...options });
    stream.addConnectionListener((state) => connectionStates.push(state));
  },
  /** Without an id, the group. */
  follow(name: string, groupId: string, id?: string, sortKey?: string): void {
    const subscription: StreamSubscription<unknown> =
      id === undefined
        ? stream.subscribeGroup('board', groupId, sortKey as 'id')
        : stream.subscribeItem('board', groupId, id);
    const states: unknown[] = [];
    const events: unknown[] = [];
    subscription.addChangeListener((state) => states.push(state));
    for (const type of ['typing', 'nudge', 'error']) subscription.onEvent(type, (data) => events.push(data));
    followed.set(name, { subscription, states, events });
  },
  state: (name: string) => followed.get(name)?.subscription.getState(),
  states: (name: string) => followed.get(name)?.states,
  events: (name: string) => followed.get(name)?.events,
  unfollow: (name: string) => followed.get(name)?.subscription.close(),
  connectionStates: () => connectionStates,
  /** As the browser does when it has a network again. */
  online: () => (globalThis as unknown as EventTarget).dispatchEvent(new Event('online')),
  close: () => stream.close(),
};

export type FollowPage = typeof functions;

Object.assign(globalThis, functions);
