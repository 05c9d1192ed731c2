/** Keys of `motia.config` that mean nothing here: what those of Motia 0.x were for, and what to do now. */
import type { MotiaConfig } from '../types.ts';

const FORMER = {
  adapters:
    'said where Motia 0.x keeps state, streams and events. The broker keeps all of it now: remove the key, and name a broker of your own in NATS_URL',
  app: 'was given the Express app of Motia 0.x, which is no more: make its routes api steps, and its middleware that of the steps which need it',
  plugins:
    'added pages to the Workbench of Motia 0.x. Nothing is lost without them: remove the key and the packages @motiadev/plugin-*',
  redis: 'told Motia 0.x which Redis to use. None is needed now, since the broker keeps everything: remove the key',
} satisfies Partial<Record<keyof MotiaConfig, string>>;

/** Keys of `motia.config` that mean something. */
export const CONFIG_KEYS: readonly string[] = Object.keys({
  http: true,
  workers: true,
  streamAuth: true,
  telemetry: true,
  tracing: true,
  workbench: true,
  logs: true,
} satisfies Record<Exclude<keyof MotiaConfig, keyof typeof FORMER>, true>);

/** One line for each key of a config that has no effect. */
export function explainUnusedKeys(config: MotiaConfig): string[] {
  return Object.entries(config)
    .filter(([key, value]) => value !== undefined && !CONFIG_KEYS.includes(key))
    .map(
      ([key]) => `motia.config: "${key}" ${Object.hasOwn(FORMER, key) ? FORMER[key as keyof typeof FORMER] : unknown}`,
    );
}

const unknown = `is no key of it: there are ${CONFIG_KEYS.join(', ')}`;
