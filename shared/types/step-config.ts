/** What a step says about itself. */
import type { ApiMiddleware } from './http.ts';

/** A zod 3 or zod 4 schema, or a plain JSON Schema object. */
export type StepSchema = ZodLike | JsonSchema;

/** What zod 3 and zod 4 schemas have in common; named structurally so that either version of the library fits. */
export interface ZodLike<Output = unknown> {
  parse(value: unknown): Output;
  safeParse(value: unknown): { success: boolean; data?: Output; error?: unknown };
}

/** A JSON Schema, draft 7 or 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A topic a step may emit to. `label` and `conditional` only decorate the graph. */
export type Emit = string | { topic: string; label?: string; conditional?: boolean };

/** Documentation of one query parameter. */
export interface QueryParam {
  name: string;
  description: string;
}

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'HEAD';

interface StepConfigBase {
  /** Unique within the project. */
  name: string;
  description?: string;
  flows?: readonly string[];
  /** Topics drawn in the graph only; they never affect delivery. */
  virtualEmits?: readonly Emit[];
  virtualSubscribes?: readonly string[];
  /** Files that a production build has to carry along, relative to the step. */
  includeFiles?: readonly string[];
}

/** Of a step that has a handler. */
interface HandledConfigBase extends StepConfigBase {
  /**
   * The groups of state that its handler and middleware may touch. Any other is refused to them, and so is `listGroups`; the broker refuses them as well, with
   * the users that `motia nats-config` makes, if all steps of a worker say so. Without it they may touch all groups.
   */
  stateGroups?: readonly string[];
}

/** An HTTP endpoint. */
export interface ApiRouteConfig extends HandledConfigBase {
  type: 'api';
  /** Express 4 path syntax: `:id`, `:id?`, `*`, groups. */
  path: string;
  method: ApiMethod;
  /** Topics the handler may emit to. Empty: any topic. */
  emits: readonly Emit[];
  virtualSubscribes?: readonly string[];
  middleware?: readonly ApiMiddleware[];
  bodySchema?: StepSchema;
  responseSchema?: Readonly<Record<number, StepSchema>>;
  queryParams?: readonly QueryParam[];
}

/** Delivery settings of an event step. */
export interface Infrastructure {
  handler?: {
    /** MB, 128 to 10240. Checked, and requested by `motia generate helm-values`, but not enforced: handlers share the memory of their worker. */
    ram?: number;
    /** vCPU, bound to `ram`. Checked, but not enforced, as `ram`. */
    cpu?: number;
    /** Seconds after which a run is ended, 1 to 900. */
    timeout?: number;
  };
  queue?: {
    /** `fifo`: events of one message group, and those without any, run one after the other, over all workers. */
    type?: 'fifo' | 'standard';
    /** Attempts after the first, 0 or more. */
    maxRetries?: number;
    /**
     * Seconds that an event of a lost worker waits before another one gets it: 1 to 30, larger values count as 30. Default 10. A
     * run may take as long as it likes: its worker renews the wait.
     */
    visibilityTimeout?: number;
    /** Seconds that an event waits before its first run in this step, 0 to 900. Default 0. */
    delaySeconds?: number;
    /** Runs of this step at a time in one worker. Default 10. */
    concurrency?: number;
    /**
     * Runs of each subscription of this step at a time, over all workers: with several topics, that many for each of them. Default: no
     * limit but that of each worker. Not with `fifo`.
     */
    globalConcurrency?: number;
    /** How often runs of this step may start, over all workers. */
    rateLimit?: RateLimit;
    /** Wait between two attempts. */
    backoff?: Backoff;
    /** Whether an event whose attempts are used up is kept as a dead letter (default), or dropped with one line in the log. */
    deadLetter?: boolean;
  };
}

/** A wait that grows from attempt to attempt. */
export interface Backoff {
  /** Seconds before the second attempt. Default 1. */
  initial?: number;
  /** What each further wait is multiplied with, 1 to 100. Default 2. */
  factor?: number;
  /** Seconds that no wait exceeds, but for its random part. Default 90. */
  max?: number;
  /** Share of each wait that is random, in both directions: 0.2, the default, means ± 20 %. */
  jitter?: number;
}

/**
 * No more than `limit` runs start within any `per` seconds, as exactly as the clocks of the workers agree. They are spread
 * evenly: one starts `per / limit` seconds after the other at the earliest. What has to wait is not an attempt.
 */
export interface RateLimit {
  /** 1 to 100,000. */
  limit: number;
  /** Seconds, 0.1 to 86,400. */
  per: number;
}

/** A consumer of topics. */
export interface EventConfig extends HandledConfigBase {
  type: 'event';
  subscribes: readonly string[];
  emits: readonly Emit[];
  input?: StepSchema | null;
  infrastructure?: Infrastructure;
}

/** A schedule. */
export interface CronConfig extends HandledConfigBase {
  type: 'cron';
  /** 5 fields, 6 with leading seconds, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
  cron: string;
  /** IANA name, as `Europe/Berlin`. Default: the local time of the scheduler. */
  timezone?: string;
  /** Ticks more than a minute late, because no scheduler or worker ran: left out (default), or run one after the other. */
  missed?: 'skip' | 'catchUp';
  /** Whether a tick may run while an earlier one still does. Otherwise it is left out. */
  overlap?: boolean;
  emits: readonly Emit[];
}

/** A place on the drawing board without code. */
export interface NoopConfig extends StepConfigBase {
  type: 'noop';
  virtualEmits: readonly Emit[];
  virtualSubscribes: readonly string[];
}

export type StepConfig = ApiRouteConfig | EventConfig | CronConfig | NoopConfig;
