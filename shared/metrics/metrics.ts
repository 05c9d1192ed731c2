/** The metrics of one role. Counting is adding plain numbers; all else is done when somebody asks. */
import { METRICS, type MetricDefinition, type MetricName } from './definitions.ts';
import { Durations } from './durations.ts';
import { boundText, type MetricFamily, type MetricSample } from './exposition.ts';

/** A number that rises. Whoever counts keeps it at hand. */
export interface Counter {
  value: number;
}

/** The value of a gauge for each combination of labels. */
export type Readings = Iterable<readonly [labelValues: readonly string[], value: number]>;

interface Series<T> {
  labels: Record<string, string>;
  numbers: T;
}

export class Metrics {
  readonly #labels: Readonly<Record<string, string>>;
  readonly #counters = new Map<MetricName, Map<string, Series<Counter>>>();
  readonly #histograms = new Map<MetricName, Map<string, Series<Durations>>>();
  readonly #gauges: (() => Promise<MetricFamily[]> | MetricFamily[])[] = [];

  /** @param labels that all of its metrics have: the app and the role. */
  constructor(labels: { app: string; role: string }) {
    this.#labels = labels;
  }

  /** The counter with these labels. */
  counter(name: MetricName, ...labelValues: string[]): Counter {
    return this.#series(this.#counters, name, labelValues, () => ({ value: 0 }));
  }

  /** The histogram with these labels. */
  histogram(name: MetricName, ...labelValues: string[]): Durations {
    const { buckets = [] }: MetricDefinition = METRICS[name];
    return this.#series(this.#histograms, name, labelValues, () => new Durations(buckets));
  }

  /** A value that is read when somebody asks. */
  gauge(name: MetricName, read: () => number): void {
    this.gauges(name, () => [[[], read()]]);
  }

  /** Values with labels that are read when somebody asks. */
  gauges(name: MetricName, read: () => Readings): void {
    this.#gauges.push(() => [this.#gaugeFamily(name, read())]);
  }

  /** Several gauges that are read together, with questions to others: `undefined` if there is nothing to say. */
  readTogether(read: () => Promise<Partial<Record<MetricName, Readings>> | undefined>): void {
    this.#gauges.push(async () =>
      Object.entries((await read()) ?? {}).map(([name, readings]) => this.#gaugeFamily(name as MetricName, readings)),
    );
  }

  async collect(): Promise<MetricFamily[]> {
    return [
      ...[...this.#counters].map(([name, series]) => this.#family(name, [...series.values()].flatMap(counterSamples))),
      ...[...this.#histograms].map(([name, series]) =>
        this.#family(name, [...series.values()].flatMap(histogramSamples)),
      ),
      ...(await Promise.all(this.#gauges.map((read) => read()))).flat(),
    ];
  }

  #series<T>(all: Map<MetricName, Map<string, Series<T>>>, name: MetricName, values: string[], make: () => T): T {
    let series = all.get(name);
    if (!series) {
      series = new Map();
      all.set(name, series);
    }
    const key = values.join('\0');
    let one = series.get(key);
    if (!one) {
      one = { labels: this.#named(name, values), numbers: make() };
      series.set(key, one);
    }
    return one.numbers;
  }

  #gaugeFamily(name: MetricName, readings: Readings): MetricFamily {
    const samples = [...readings].map(([values, value]) => ({ suffix: '', labels: this.#named(name, values), value }));
    return this.#family(name, samples);
  }

  #family(name: MetricName, samples: MetricSample[]): MetricFamily {
    const { type, help }: MetricDefinition = METRICS[name];
    return { name: name.replace(/_total$/, ''), type, help, samples };
  }

  #named(name: MetricName, values: readonly string[]): Record<string, string> {
    const { labels }: MetricDefinition = METRICS[name];
    return { ...this.#labels, ...Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])) };
  }
}

const counterSamples = ({ labels, numbers }: Series<Counter>): MetricSample[] => [
  { suffix: '_total', labels, value: numbers.value },
];

function histogramSamples({ labels, numbers }: Series<Durations>): MetricSample[] {
  let count = 0;
  const buckets = [...numbers.counts].map((added, bucket): MetricSample => {
    count += added;
    const bound = numbers.bounds[bucket];
    const exemplar = numbers.exemplar(bucket);
    const traceId = exemplar?.traceparent.split('-')[1];
    return {
      suffix: '_bucket',
      labels: { ...labels, le: bound === undefined ? '+Inf' : boundText(bound) },
      value: count,
      ...(exemplar && traceId !== undefined && { exemplar: { traceId, value: exemplar.seconds, at: exemplar.at } }),
    };
  });
  return [...buckets, { suffix: '_sum', labels, value: numbers.sum }, { suffix: '_count', labels, value: count }];
}
