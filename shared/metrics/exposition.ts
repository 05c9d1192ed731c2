/** Metrics as text: the format of Prometheus, and OpenMetrics for those who ask for it. Pure. */
import type { MetricType } from './definitions.ts';

export interface MetricFamily {
  /** Without the `_total` of a counter. */
  name: string;
  type: MetricType | 'summary';
  help: string;
  samples: MetricSample[];
}

export interface MetricSample {
  /** What follows the name: `_bucket`, `_sum`, `_count`, `_total` or nothing. */
  suffix: string;
  labels: Readonly<Record<string, string>>;
  value: number;
  exemplar?: { traceId: string; value: number; at: number };
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** @param accept header of the one who asks. Families of one name, as several processes have them, become one. */
export function expose(families: readonly MetricFamily[], accept = ''): { contentType: string; text: string } {
  const open = accept.includes('application/openmetrics-text');
  const byName = new Map<string, MetricFamily>();
  for (const family of families) {
    const known = byName.get(family.name);
    if (known) known.samples.push(...family.samples);
    else byName.set(family.name, { ...family, samples: [...family.samples] });
  }
  const lines = [...byName.values()].flatMap((family) => familyLines(family, open));
  if (open) lines.push('# EOF');
  return { contentType: open ? OPEN_METRICS : PROMETHEUS, text: `${lines.join('\n')}\n` };
}

function familyLines({ name, type, help, samples }: MetricFamily, open: boolean): string[] {
  const shown = type === 'counter' && !open ? `${name}_total` : name;
  return [
    `# HELP ${shown} ${escapeText(help)}`,
    `# TYPE ${shown} ${type}`,
    ...samples.map(
      (sample) =>
        `${name}${sample.suffix}${labelText(sample)} ${numberText(sample.value)}${exemplarText(sample, open)}`,
    ),
  ];
}

function labelText({ labels }: MetricSample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeText(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function exemplarText({ exemplar }: MetricSample, open: boolean): string {
  if (!open || !exemplar) return '';
  return ` # {trace_id="${exemplar.traceId}"} ${numberText(exemplar.value)} ${exemplar.at / 1_000}`;
}

/** As Go and Python write them, so that the buckets of all languages have the same names. */
export const boundText = (bound: number): string => (Number.isInteger(bound) ? `${bound}.0` : String(bound));

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

const escapeText = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
