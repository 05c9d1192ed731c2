/** Long lists that the admin API gives in pages, the newest first: more comes as one scrolls, and new ones come by themselves at the top. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { PAGE_ROWS, type Query } from './address.ts';
import { type ApiError, api } from './client.ts';

interface Page {
  next?: string;
}

interface UseListOptions<Answer extends Page, Field extends keyof Answer> {
  /** The field of a page that has its rows. */
  field: Field;
  query?: Query;
  /** How a page is asked for by the `next` of the one before: `cursor` (default) or `after`. */
  by?: 'cursor' | 'after';
  /** Rows of a page. Default {@link PAGE_ROWS}. */
  limit?: number;
  /** Ask again after so many ms, or what follows from the first page, while the tab is shown and nobody has gone further than that. */
  every?: number | ((first: Answer | undefined) => number);
}

export interface List<Answer, Row> {
  rows: readonly Row[];
  /** The page that was had last, for what else it says. */
  last: Answer | undefined;
  isLoading: boolean;
  error: ApiError | null;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => void;
  /** Further pages are there, so the first is no longer renewed by itself. */
  isStill: boolean;
  /** Begins anew with the first page. */
  restart: () => void;
}

const NONE: readonly never[] = [];

type Rows<Answer, Field extends keyof Answer> = Answer[Field] extends readonly (infer Row)[] ? Row : never;

export function useList<Answer extends Page, Field extends keyof Answer>(
  path: string,
  { field, query = {}, by = 'cursor', limit = PAGE_ROWS, every }: UseListOptions<Answer, Field>,
): List<Answer, Rows<Answer, Field>> {
  const key = [path, query, 'list'] as const;
  const client = useQueryClient();
  const list = useInfiniteQuery<Answer, ApiError, InfiniteData<Answer, string>, typeof key, string>({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => api<Answer>(path, { query: { ...query, limit, [by]: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    refetchInterval: ({ state: { data } }) => {
      if (every === undefined || (data?.pages.length ?? 1) > 1) return false;
      return typeof every === 'function' ? every(data?.pages[0]) : every;
    },
    refetchOnWindowFocus: ({ state }) => state.data?.pages.length === 1,
    refetchOnMount: ({ state }) => state.data?.pages.length === 1,
    placeholderData: (before) => before,
  });
  const pages = list.data?.pages ?? NONE;
  return {
    rows: useMemo(() => pages.flatMap((page) => page[field] as Rows<Answer, Field>[]), [pages, field]),
    last: pages.at(-1),
    isLoading: list.isLoading,
    error: list.error,
    hasMore: list.hasNextPage,
    isLoadingMore: list.isFetchingNextPage,
    loadMore: () => {
      if (list.hasNextPage && !list.isFetchingNextPage && !list.isPlaceholderData) void list.fetchNextPage();
    },
    isStill: pages.length > 1,
    restart: () => void client.resetQueries({ queryKey: key }),
  };
}
