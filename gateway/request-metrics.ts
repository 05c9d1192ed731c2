/** How long requests take, by route, method and class of the status. */
import type { Durations } from '../shared/metrics/durations.ts';
import type { Metrics } from '../shared/metrics/metrics.ts';
import type { ApiStep } from './step-route.ts';

/** The route of whatever no step answers: their paths may be anything. Those of steps begin with a slash. */
const UNMATCHED = 'unmatched';

export class RequestMetrics {
  readonly #metrics: Metrics;
  /** Of each step by the class of the status, so that most requests look nothing up by name. */
  readonly #durations = new WeakMap<ApiStep, Durations[]>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** A request to a step was answered. @param began by `performance.now()`. */
  ended(step: ApiStep, status: number, began: number, traceparent?: string): void {
    const statusClass = Math.floor(status / 100);
    let byStatus = this.#durations.get(step);
    if (!byStatus) {
      byStatus = [];
      this.#durations.set(step, byStatus);
    }
    byStatus[statusClass] ??= this.#find(step.path, step.method, statusClass);
    byStatus[statusClass].add((performance.now() - began) / 1_000, traceparent);
  }

  /** A request was answered that is to no step. */
  unmatched(method: string, status: number, began: number): void {
    this.#find(UNMATCHED, method, Math.floor(status / 100)).add((performance.now() - began) / 1_000);
  }

  #find(route: string, method: string, statusClass: number): Durations {
    return this.#metrics.histogram('motia_http_request_duration_seconds', route, method, `${statusClass}xx`);
  }
}
