/** The part of `path-to-regexp` 0.1 that the router uses; the package has no types of its own. */
declare module 'path-to-regexp' {
  interface Key {
    /** The name of a `:name` parameter, or the index of an unnamed group. */
    name: string | number;
  }
  /** Compiles Express 4 path syntax, and appends one key per capture group to `keys`. */
  export default function pathToRegexp(path: string, keys: Key[]): RegExp;
}
