/** A real Jaeger (v2): the one on PATH or in the cache. To build one takes Go and minutes, which no test does. */
import { accessSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { readEnvironment } from '../../shared/config.ts';
import { runInBackground } from './background.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

export interface JaegerSpan {
  traceID: string;
  spanID: string;
  operationName: string;
  references: { refType: string; traceID: string; spanID: string }[];
  tags: { key: string; value: unknown }[];
  process: { serviceName: string; tags: { key: string; value: unknown }[] };
}

export interface Jaeger {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  endpoint: string;
  services(): Promise<string[]>;
  /** The spans of a trace, in no order; none as long as it is not known. */
  trace(traceId: string): Promise<JaegerSpan[]>;
}

/** Skips the test where there is none. It ends with the test. */
export async function startJaeger(context: TestContext): Promise<Jaeger> {
  const { cacheDir, searchPath } = readEnvironment();
  const cached = join(cacheDir, 'tests');
  const program = [...searchPath, cached].map((folder) => join(folder, 'jaeger')).find(isThere);
  context.skip(program === undefined, `there is no jaeger (version 2) on PATH or in ${cached}`);

  const folder = await mkdtemp(join(tmpdir(), 'motia-jaeger-'));
  const [otlp, query, grpc, health] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const config = {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query', 'healthcheckv2'],
      pipelines: { traces: { receivers: ['otlp'], processors: [], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 1_000 } } } },
      jaeger_query: {
        storage: { traces: 'memory' },
        http: { endpoint: `127.0.0.1:${query}` },
        grpc: { endpoint: `127.0.0.1:${grpc}` },
      },
      healthcheckv2: { use_v2: true, http: { endpoint: `127.0.0.1:${health}` } },
    },
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${otlp}` } } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  };
  const file = join(folder, 'jaeger.yaml');
  await writeFile(file, JSON.stringify(config)); // JSON is YAML
  runInBackground(program as string, ['--config', `file:${file}`], folder);
  const url = `http://127.0.0.1:${query}`;
  await waitFor(async () => (await fetch(`${url}/api/services`)).ok, { what: 'Jaeger', within: 30_000 });
  return {
    endpoint: `http://127.0.0.1:${otlp}`,
    async services() {
      const { data } = (await (await fetch(`${url}/api/services`)).json()) as { data: string[] | null };
      return data ?? [];
    },
    async trace(traceId) {
      type Trace = {
        spans: (Omit<JaegerSpan, 'process'> & { processID: string })[];
        processes: Record<string, JaegerSpan['process']>;
      };
      const { data } = (await (await fetch(`${url}/api/traces/${traceId}`)).json()) as { data: Trace[] | null };
      return (data ?? []).flatMap(({ spans, processes }) =>
        spans.map((span) => ({ ...span, process: processes[span.processID] as JaegerSpan['process'] })),
      );
    },
  };
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
