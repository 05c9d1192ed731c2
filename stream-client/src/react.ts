/** React: a provider that holds the connection, and hooks that follow items, groups and events. */
import {
  createContext,
  createElement,
  type DependencyList,
  type PropsWithChildren,
  type ReactElement,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import {
  type ConnectionState,
  type CustomEventListener,
  type Item,
  Stream,
  type StreamOptions,
  type StreamSubscription,
} from './index.ts';

export * from './index.ts';

const StreamContext = createContext<{ stream: Stream | null }>({ stream: null });

export type MotiaStreamProviderProps = PropsWithChildren<
  {
    /** Where the server is, for instance `wss://example.org`; several are taken in turn. */
    address: string | readonly string[];
  } & Pick<StreamOptions, 'protocols' | 'authToken'>
>;

/** Connects while it is mounted, and anew when the address, the protocols or a token that is a text change. */
export function MotiaStreamProvider(props: MotiaStreamProviderProps): ReactElement {
  const { children, authToken } = props;
  const [context, setContext] = useState<{ stream: Stream | null }>({ stream: null });
  const latest = useLatest(props);
  const isFunction = typeof authToken === 'function';
  const connectsTo = JSON.stringify([props.address, props.protocols, isFunction || authToken]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it connects to, whatever object says so
  useEffect(() => {
    const { address, protocols } = latest.current;
    const token = isFunction ? async () => readToken(latest.current.authToken) : authToken;
    const stream = new Stream(address, { protocols, authToken: token });
    setContext({ stream });
    return () => {
      stream.close();
      setContext({ stream: null });
    };
  }, [connectsTo]);
  return createElement(StreamContext.Provider, { value: context }, children);
}

const readToken = (token: StreamOptions['authToken']) => (typeof token === 'function' ? token() : token);

/** The stream of the provider; `null` before that is mounted, and where there is none. */
export const useMotiaStream = (): { stream: Stream | null } => useContext(StreamContext);

/** The state of the connection. */
export function useConnectionState(): ConnectionState {
  const { stream } = useMotiaStream();
  const subscribe = useCallback(
    (changed: () => void) => {
      stream?.addConnectionListener(changed);
      return () => stream?.removeConnectionListener(changed);
    },
    [stream],
  );
  return useSyncExternalStore(
    subscribe,
    () => stream?.getConnectionState() ?? 'connecting',
    () => 'connecting' as const,
  );
}

export interface StreamItemArgs {
  streamName: string;
  groupId: string;
  /** Without one, nothing is followed. */
  id?: string;
}

/**
 * Follows one item.
 * @returns `data`, `null` while there is no such item, and `event` for {@link useStreamEventHandler}.
 */
export function useStreamItem<TData>(args?: StreamItemArgs): {
  data: TData | null | undefined;
  event: StreamSubscription | null;
} {
  const { streamName, groupId, id } = args ?? {};
  const event = useSubscription<(TData & Item) | null>(
    (stream) =>
      streamName !== undefined && groupId !== undefined && id !== undefined
        ? stream.subscribeItem<TData & Item>(streamName, groupId, id)
        : null,
    [streamName, groupId, id],
  );
  return { data: useSubscribedState(event, null), event };
}

export interface StreamGroupArgs<TData extends Item> {
  streamName: string;
  groupId: string;
  /** The field to sort by. Without one the items are in the order of their creation. */
  sortKey?: keyof TData;
  /** Is called with the items after each change, besides. */
  setData?: (data: TData[]) => void;
}

/**
 * Follows all items of a group.
 * @returns `data`, and `event` for {@link useStreamEventHandler}.
 */
export function useStreamGroup<TData extends Item>(
  args?: StreamGroupArgs<TData>,
): { data: TData[]; event: StreamSubscription | null } {
  const { streamName, groupId, sortKey, setData } = args ?? {};
  const latestSetData = useLatest(setData);
  const event = useSubscription<TData[]>(
    (stream) => {
      if (streamName === undefined || groupId === undefined) return null;
      const subscription = stream.subscribeGroup<TData>(streamName, groupId, sortKey);
      subscription.addChangeListener((data) => latestSetData.current?.(data));
      return subscription;
    },
    [streamName, groupId, sortKey],
  );
  return { data: useSubscribedState(event, NO_ITEMS as TData[]), event };
}

const NO_ITEMS: never[] = [];

export interface StreamEventHandler {
  /** What a hook has given as `event`. */
  event: StreamSubscription | null;
  type: string;
  listener: CustomEventListener;
}

/** Calls a function with the data of each event of a type, see {@link StreamSubscription.onEvent}. */
export function useStreamEventHandler(
  { event, type, listener }: StreamEventHandler,
  dependencies: DependencyList = [],
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the listener is made anew with each rendering; the caller says when it counts
  useEffect(() => {
    event?.onEvent(type, listener);
    return () => event?.offEvent(type, listener);
  }, [event, type, ...dependencies]);
}

/** A subscription that lives as long as what it is made of. */
function useSubscription<TState>(
  subscribe: (stream: Stream) => StreamSubscription<TState> | null,
  dependencies: DependencyList,
): StreamSubscription<TState> | null {
  const { stream } = useMotiaStream();
  const [subscription, setSubscription] = useState<StreamSubscription<TState> | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `subscribe` is made of the dependencies
  useEffect(() => {
    const made = stream && subscribe(stream);
    setSubscription(made);
    return () => made?.close();
  }, [stream, ...dependencies]);
  return subscription;
}

function useSubscribedState<TState>(subscription: StreamSubscription<TState> | null, none: TState): TState {
  const subscribe = useCallback(
    (changed: () => void) => {
      subscription?.addChangeListener(changed);
      return () => subscription?.removeChangeListener(changed);
    },
    [subscription],
  );
  return useSyncExternalStore(
    subscribe,
    () => subscription?.getState() ?? none,
    () => none,
  );
}

/** What the last rendering had, for what is called later. */
function useLatest<T>(value: T): { readonly current: T } {
  const ref = useRef(value);
  useEffect(() => {
    ref.current = value;
  });
  return ref;
}
