/** What a user of the broker may do there, as the server's configuration says it: subjects, with wildcards. */

export interface Permissions {
  publish: string[];
  subscribe: string[];
}

/** All that several parts of an app need together: each subject once, in order. */
export function join(...parts: readonly Partial<Permissions>[]): Permissions {
  const all = (of: keyof Permissions) => [...new Set(parts.flatMap((part) => part[of] ?? []))].sort();
  return { publish: all('publish'), subscribe: all('subscribe') };
}
