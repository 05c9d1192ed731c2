/** Filters and choices that live in the URL, so that a link leads to what one sees. */
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';

/**
 * Reads the named parameters, and writes them: what is empty or `undefined` leaves the URL.
 *
 * @param names as they are in the URL. @returns their values, empty where there is none, and what changes some of them.
 */
export function useUrlState<Name extends string>(
  ...names: readonly Name[]
): [Record<Name, string>, (changes: Partial<Record<Name, string | undefined>>) => void] {
  const [params, setParams] = useSearchParams();
  const text = params.toString();
  const key = names.join();
  const values = useMemo(() => {
    const params = new URLSearchParams(text);
    return Object.fromEntries(key.split(',').map((name) => [name, params.get(name) ?? ''])) as Record<Name, string>;
  }, [text, key]);
  const change = useCallback(
    (changes: Partial<Record<Name, string | undefined>>) =>
      setParams(
        (current) => {
          const next = new URLSearchParams(current);
          for (const [name, value] of Object.entries(changes) as [Name, string | undefined][]) {
            if (value) next.set(name, value);
            else next.delete(name);
          }
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [values, change];
}

/**
 * Gives a path of the page with what the query says now.
 *
 * @param names only of these parameters. Default: all.
 */
export function useWithSearch(names?: readonly string[]): (path: string) => string {
  const [params] = useSearchParams();
  const kept = new URLSearchParams([...params].filter(([name]) => names?.includes(name) ?? true));
  return (path) => (kept.size > 0 ? `${path}?${kept}` : path);
}
