/**
 * How long a shutdown may take, so that the 30 seconds which orchestrators usually grant suffice. What a gateway serves before that, by
 * `MOTIA_DRAIN_DELAY`, is not among it.
 */

export const GRACE_MS = {
  /** For a process that has one role. */
  role: 28_000,
  /** `motia dev` and `motia start` close gateway and scheduler, then the worker, then the broker. */
  supervisedGateway: 8_000,
  supervisedWorker: 15_000,
  embeddedServer: 6_000,
} as const;
