/** Which traces are recorded: decided where a trace begins, and followed by whoever has a part in it. */
import type { TelemetryEnvironment } from './config.ts';
import { firstOfEachSecond } from './per-second.ts';
import type { TraceContext } from './trace-ids.ts';

export type Sampling = (parent: TraceContext | undefined, traceId: string) => boolean;

/** The random end of a trace id that is compared with the ratio: 13 hex digits, as many as a number holds. */
const DIGITS = 13;

/** The sampler of the environment. Other languages decide alike about the same id. */
export function createSampling({ sampler, samplerRatio, tracesPerSecond }: TelemetryEnvironment): Sampling {
  const root = tracesPerSecond === undefined ? rootSampling(sampler, samplerRatio) : firstOfEachSecond(tracesPerSecond);
  if (!sampler.startsWith('parentbased')) return (_, traceId) => root(traceId);
  return (parent, traceId) => parent?.sampled ?? root(traceId);
}

function rootSampling(sampler: TelemetryEnvironment['sampler'], ratio: number): (traceId: string) => boolean {
  if (sampler.endsWith('always_on')) return () => true;
  if (sampler.endsWith('always_off')) return () => false;
  const bound = ratio * 16 ** DIGITS;
  return (traceId) => Number.parseInt(traceId.slice(-DIGITS), 16) < bound;
}
