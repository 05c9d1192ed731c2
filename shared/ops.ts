/** What a process tells those who run it: `/health/live`, `/health/ready` and `/metrics`. */
import type { Broker } from './broker/connect.ts';
import { Health, type HealthReport } from './health.ts';
import { expose, type MetricFamily } from './metrics/exposition.ts';
import { loopLag } from './metrics/loop-lag.ts';
import { Metrics } from './metrics/metrics.ts';
import { collectProcessMetrics } from './metrics/process-metrics.ts';

export interface OpsAnswer {
  status: number;
  contentType: string;
  body: string;
}

export type CollectMetrics = () => Promise<MetricFamily[]>;

export const METRICS_PATH = '/metrics';
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/health/live', '/health/ready']);

export class Ops {
  readonly health = new Health();
  readonly metrics: Metrics;
  readonly #labels: { app: string; role: string };
  readonly #others: CollectMetrics[] = [];
  #broker: Broker | undefined;

  constructor(app: string, role: string) {
    this.#labels = { app, role };
    this.metrics = new Metrics(this.#labels);
    this.metrics.gauge('motia_ready', () => Number(this.health.ready().ok));
    this.metrics.gauge('motia_broker_connected', () => Number(this.#broker?.connected() ?? false));
    const lag = loopLag();
    this.metrics.gauge('motia_event_loop_lag_seconds', () => lag.worst);
    this.health.readyIf(() => {
      if (!this.#broker) return 'it has not connected to the broker yet';
      return this.#broker.connected() ? undefined : 'the connection to the broker is lost';
    });
    this.health.liveIf(() => (this.#broker?.closed() ? 'the connection to the broker is closed for good' : undefined));
  }

  /** The connection that the process cannot work without. */
  watch(broker: Broker): void {
    this.#broker = broker;
  }

  /** Metrics of others that are shown with our own. */
  include(collect: CollectMetrics): void {
    this.#others.push(collect);
  }

  /** The metrics of the role itself. */
  collectOwn(): Promise<MetricFamily[]> {
    return this.metrics.collect();
  }

  /** Those of the role, of its process, and of others. What cannot be had in time is left out. */
  async collect(): Promise<MetricFamily[]> {
    const all = [this.metrics.collect(), collectProcessMetrics(this.#labels), ...this.#others.map((other) => other())];
    return (await Promise.all(all)).flat();
  }

  /** @returns `undefined` for any other path. */
  async answer(path: string, accept: string | undefined): Promise<OpsAnswer | undefined> {
    if (path === '/health/live') return toAnswer(this.health.live(), 'alive', 'not alive');
    if (path === '/health/ready') return toAnswer(this.health.ready(), 'ready', 'not ready');
    if (path !== METRICS_PATH) return undefined;
    const { contentType, text } = expose(await this.collect(), accept);
    return { status: 200, contentType, body: text };
  }
}

function toAnswer({ ok, reasons }: HealthReport, good: string, bad: string): OpsAnswer {
  const body = JSON.stringify(ok ? { status: good } : { status: bad, reasons });
  return { status: ok ? 200 : 503, contentType: 'application/json; charset=utf-8', body };
}
