/** What makes a message wait in the broker until `at`, ms since 1970, and then go to `target`. */
export function schedule(at: number, target: string): Record<string, string> {
  return {
    'Nats-Schedule': `@at ${new Date(at).toISOString()}`,
    'Nats-Schedule-Target': target,
    // The fired copy stays this long, taken by the events stream or not: longer than that one may be full or away.
    'Nats-Schedule-TTL': '168h',
  };
}
