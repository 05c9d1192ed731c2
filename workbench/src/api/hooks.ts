/** How screens get and change data: TanStack Query around the admin API. Nothing is asked while the tab is hidden. */
import {
  keepPreviousData,
  QueryClient,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import type { Query } from './address.ts';
import { ApiError, api, type RequestOptions } from './client.ts';
import type { AppInfo, Steps } from './types.ts';

/** How often what may change is asked for again, in ms. */
export const EVERY = { live: 2_000, slow: 10_000 } as const;

/** Lists that take the broker the longer the more there is: those with a further page are asked for less often. */
export const everyBySize = (first: { next?: string } | undefined): number =>
  first?.next === undefined ? EVERY.live : EVERY.slow;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // What the gateway refuses, it refuses again; what it did not answer is asked once more.
      retry: (count, error) => count < 1 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502),
      refetchIntervalInBackground: false,
      staleTime: 1_000,
    },
  },
});

export interface UseApiOptions<Answer, Shown = Answer> {
  query?: Query;
  /** Ask again after so many ms, while the tab is shown: one of {@link EVERY}, or what follows from the answer. */
  every?: number | ((answer: Answer | undefined) => number | undefined);
  /** Whether to ask at all. Default true. */
  enabled?: boolean;
  /** Show what was there until what is asked for now has come: for filters and pages. */
  keep?: boolean;
  /** The part that is of interest: nothing is drawn anew while that stays the same. */
  select?: (answer: Answer) => Shown;
}

/** Asks for a path of the admin API. Its key, for {@link useRefresh}, begins with the path. */
export function useApi<Answer, Shown = Answer>(
  path: string,
  options: UseApiOptions<Answer, Shown> = {},
): UseQueryResult<Shown, ApiError> {
  const { query, every, enabled = true, keep = false, select } = options;
  return useQuery<Answer, ApiError, Shown>({
    queryKey: [path, query ?? {}],
    queryFn: ({ signal }) => api<Answer>(path, { ...(query && { query }), signal }),
    enabled,
    refetchInterval: ({ state }) => (typeof every === 'function' ? every(state.data) : every) ?? false,
    ...(select && { select }),
    ...(keep && { placeholderData: keepPreviousData }),
  });
}

export interface Change extends RequestOptions {
  path: string;
}

/** Changes something, and asks anew for all that begins with one of these paths. */
export function useChange<Answer = unknown>(...paths: string[]): UseMutationResult<Answer, ApiError, Change> {
  const refresh = useRefresh();
  return useMutation<Answer, ApiError, Change>({
    mutationFn: ({ path, method = 'POST', ...options }) => api<Answer>(path, { method, ...options }),
    onSettled: () => refresh(...paths),
  });
}

/**
 * Deletes things, and asks anew for all that begins with these paths: once nobody shows what is gone any more.
 *
 * @returns a function that takes their paths, and what closes what shows them. @throws {ApiError}
 */
export function useRemove(...paths: string[]): (gone: readonly string[], onGone: () => void) => Promise<void> {
  const refresh = useRefresh();
  return async (gone, onGone) => {
    for (const path of gone) await api(path, { method: 'DELETE' });
    onGone();
    setTimeout(() => void refresh(...paths));
  };
}

/** Asks anew for all that is shown of these paths and what is below them. */
export function useRefresh(): (...paths: string[]) => Promise<void> {
  const client = useQueryClient();
  return async (...paths) => {
    await client.invalidateQueries({
      predicate: ({ queryKey: [path] }) => paths.some((one) => path === one || String(path).startsWith(`${one}/`)),
    });
  };
}

export const useApp = (): UseQueryResult<AppInfo, ApiError> => useApi<AppInfo>('/app', { every: EVERY.slow });

/** What changes with the files of a project: in dev at any time, elsewhere with a deployment. */
export const everyByMode = (): number =>
  queryClient.getQueryData<AppInfo>(['/app', {}])?.mode === 'dev' ? EVERY.live : EVERY.slow;

/** Steps and streams that are served; in dev, edits of the project are seen within two seconds. */
export const useSteps = (): UseQueryResult<Steps, ApiError> => useApi<Steps>('/steps', { every: everyByMode });
