/** Finds the API step that serves a request, in the path syntax of Express 4. */
import pathToRegexp from 'path-to-regexp';

export type RouteMatch<Route> =
  | {
      route: Route;
      /** Percent-decoded; unnamed groups and wildcards are `0`, `1`, …; an optional one left out is absent. */
      params: Record<string, string>;
    }
  /** The path exists, the method does not (405): the methods to name in `Allow`. */
  | { allow: string[] }
  /** A parameter is not valid percent-encoded UTF-8 (400). */
  | 'bad-encoding'
  /** No such path (404). */
  | undefined;

export interface Router<Route> {
  /** `pathname` is the path as sent: still percent-encoded, without the query. */
  match(method: string, pathname: string): RouteMatch<Route>;
}

type Methods<Route> = Map<string, Route>;

interface Pattern<Route> {
  regexp: RegExp;
  /** The parameter of each capture group. */
  names: string[];
  rank: string;
  /** Longest pathname the pattern is tried on. */
  maxLength: number;
  methods: Methods<Route>;
}

/** Characters with a meaning in path patterns; a path without them is compared as text. */
const PATTERN_SYNTAX = /[\\:*?+()[\]{}|^$]/;

/** Upper bound of the backtracking steps one pattern may take: a few milliseconds. */
const STEP_BUDGET = 4_000_000;

/**
 * Case is ignored, and one trailing slash. Of several matching paths the most specific one wins (text before parameters
 * before wildcards, segment by segment), then the first in `routes`; a path that lacks the method yields to a less
 * specific one that has it. HEAD is served by GET where there is no HEAD route.
 *
 * @throws SyntaxError when a path holds an invalid regular expression.
 */
export function createRouter<Route extends { method: string; path: string }>(routes: readonly Route[]): Router<Route> {
  const literals = new Map<string, Methods<Route>>();
  const patternsByPath = new Map<string, Pattern<Route>>();
  for (const route of routes) {
    const path = encodeLiterals(route.path);
    const methods = PATTERN_SYNTAX.test(path)
      ? getOrCreate(patternsByPath, path, () => compile<Route>(path)).methods
      : getOrCreate(literals, normalize(path), () => new Map<string, Route>());
    if (!methods.has(route.method)) methods.set(route.method, route);
  }
  const patterns = [...patternsByPath.values()].sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));

  return {
    match(method, pathname) {
      const literal = literals.get(pathname) ?? literals.get(normalize(pathname));
      const literalRoute = literal && forMethod(literal, method);
      if (literalRoute) return { route: literalRoute, params: {} };

      let known = literal && [literal];
      for (const pattern of patterns) {
        if (pathname.length > pattern.maxLength) continue;
        const groups = pattern.regexp.exec(pathname);
        if (!groups) continue;
        const route = forMethod(pattern.methods, method);
        if (route) {
          const params = decodeParams(pattern.names, groups);
          return params ? { route, params } : 'bad-encoding';
        }
        known = known ? [...known, pattern.methods] : [pattern.methods];
      }
      return known && { allow: allowedMethods(known) };
    },
  };
}

function getOrCreate<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const created = create();
  map.set(key, created);
  return created;
}

function compile<Route>(path: string): Pattern<Route> {
  const keys: { name: string | number }[] = [];
  const regexp = pathToRegexp(path, keys);
  // w wildcards backtrack in O(length^w): three of them and the longest path that Node accepts would take minutes.
  const wildcards = regexp.source.match(/(?<!\\)\.[*+]/g)?.length ?? 0;
  return {
    regexp,
    names: keys.map((key) => String(key.name)),
    rank: path.split('/').map(segmentRank).join(''),
    maxLength: wildcards > 1 ? Math.floor(STEP_BUDGET ** (1 / wildcards)) : Number.POSITIVE_INFINITY,
    methods: new Map(),
  };
}

/** Sorts the more specific segment first: text, parameter with a pattern or text around it, parameter, wildcard. */
function segmentRank(segment: string): string {
  if (!PATTERN_SYNTAX.test(segment)) return '0';
  if (segment.includes('*')) return '3';
  return /^:\w+\??$/.test(segment) ? '2' : '1';
}

function forMethod<Route>(methods: Methods<Route>, method: string): Route | undefined {
  return methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined);
}

function allowedMethods(known: Methods<unknown>[]): string[] {
  const allow = new Set(known.flatMap((methods) => [...methods.keys()]));
  if (allow.has('GET')) allow.add('HEAD');
  return [...allow.add('OPTIONS')];
}

function decodeParams(names: string[], groups: RegExpExecArray): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  try {
    names.forEach((name, index) => {
      const value = groups[index + 1];
      if (value !== undefined) params[name] = decodeURIComponent(value);
    });
  } catch {
    return undefined;
  }
  return params;
}

/** Clients send spaces and non-ASCII text percent-encoded, authors of steps write it as it is. */
function encodeLiterals(path: string): string {
  // Lone surrogates (Cs) have no encoding.
  return path.replace(/[^\x21-\x7e\p{Cs}]+/gu, encodeURI);
}

function normalize(path: string): string {
  return (path.endsWith('/') ? path.slice(0, -1) : path).toLowerCase();
}
