/** What Node tells of this process: memory, processor, garbage collection. The library for it is loaded when somebody asks. */
import type { Registry } from 'prom-client';
import type { MetricFamily, MetricSample } from './exposition.ts';

/** How finely the delays of the event loop are measured: a timer that goes off more often costs more than it tells. */
const PRECISION_MS = 100;

interface JsonMetric {
  name: string;
  help: string;
  type: MetricFamily['type'];
  values: { value: number; labels: Record<string, string | number>; metricName?: string }[];
}

let registry: Promise<Registry> | undefined;

/** @param labels that each of them gets. */
export async function collectProcessMetrics(labels: Record<string, string>): Promise<MetricFamily[]> {
  registry ??= makeRegistry();
  const metrics = (await (await registry).getMetricsAsJSON()) as unknown as JsonMetric[];
  const wellNamed = metrics.filter(({ name, type }) => type === 'counter' || !name.endsWith('_total'));
  return wellNamed.map(({ name, help, type, values }) => ({
    name: type === 'counter' ? name.replace(/_total$/, '') : name,
    type,
    help,
    samples: values
      .filter(({ value }) => Number.isFinite(value))
      .map(({ value, labels: own, metricName }): MetricSample => {
        const texts = Object.fromEntries(Object.entries(own).map(([label, text]) => [label, String(text)]));
        const suffix = type === 'counter' ? '_total' : (metricName ?? name).slice(name.length);
        return { suffix, labels: { ...labels, ...texts }, value };
      }),
  }));
}

async function makeRegistry(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import('prom-client');
  const made = new Registry();
  collectDefaultMetrics({ register: made, eventLoopMonitoringPrecision: PRECISION_MS });
  return made;
}
