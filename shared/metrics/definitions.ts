/** Every metric of ours: its name, what it says and which labels it has. The Python worker has the same (`golden/metrics.json`). */

export type MetricType = 'counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  type: MetricType;
  help: string;
  /** In the order in which their values are given. */
  labels: readonly string[];
  /** Upper bounds of a histogram, in seconds. */
  buckets?: readonly number[];
}

const RUNS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const WAITS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800];

const counter = (help: string, labels: readonly string[]): MetricDefinition => ({ type: 'counter', help, labels });
const gauge = (help: string, labels: readonly string[] = []): MetricDefinition => ({ type: 'gauge', help, labels });
const histogram = (help: string, labels: readonly string[], buckets: readonly number[]): MetricDefinition => ({
  ...{ type: 'histogram', help, labels, buckets },
});

/** By the name that is exposed. Each has the labels `app` and `role` besides. */
export const METRICS = {
  // Every role.
  motia_broker_connected: gauge('Whether the connection to the broker stands.'),
  motia_ready: gauge('Whether /health/ready says so.'),
  motia_event_loop_lag_seconds: gauge('Longest delay of the event loop in the last minute.'),

  // Gateway.
  motia_http_request_duration_seconds: histogram(
    'From the head of a request to the answer that is handed to the socket.',
    ['route', 'method', 'status'],
    RUNS,
  ),
  motia_http_calls_in_flight: gauge('Calls of steps that are not answered yet.'),
  motia_stream_clients: gauge('Clients that are connected to realtime streams.'),

  // Workers.
  motia_run_duration_seconds: histogram('From the start of a handler to its end.', ['step', 'kind', 'outcome'], RUNS),
  motia_queue_wait_seconds: histogram(
    'From when the broker stored a message to when a worker took it.',
    ['step', 'kind'],
    WAITS,
  ),
  motia_runs_in_flight: gauge('Calls, events and ticks that the worker holds.', ['step', 'kind']),
  motia_event_attempts_total: counter('Events that a worker has dealt with, by what became of them.', [
    'step',
    'topic',
    'outcome',
  ]),
  motia_emits_total: counter('Events that handlers have emitted, counted when their run ends.', ['step']),
  motia_handlers: gauge('Handler threads, or handler processes of a Python worker.', ['state']),
  motia_handler_queue_length: gauge('Runs that wait for a handler thread or process.'),

  // Scheduler.
  motia_scheduler_leader: gauge('Whether this scheduler leads.'),
  motia_cron_ticks_total: counter('Ticks that were due while this scheduler led.', ['step', 'outcome']),
  motia_cron_lateness_seconds: histogram('From when a tick was due to when it was stored.', ['step'], WAITS),

  // The scheduler that leads, for the whole app.
  motia_queue_depth: gauge('Events of a subscription that no worker has yet.', ['step', 'topic']),
  motia_queue_in_flight: gauge('Events of a subscription that are with workers.', ['step', 'topic']),
  motia_queue_later: gauge('Events of a subscription that wait for their time.', ['step', 'topic']),
  motia_queue_oldest_age_seconds: gauge('Age of the oldest event that waits or is with a worker; 0 without one.', [
    'step',
    'topic',
  ]),
  motia_queue_paused: gauge('Whether the subscription is paused.', ['step', 'topic']),
  motia_dead_letters: gauge('Dead letters that are kept of a step.', ['step']),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** What runs are had for. */
export type RunKind = 'api' | 'event' | 'cron';
