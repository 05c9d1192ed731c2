/** Every setting is in the documentation, and nothing is that is none. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../shared/config.ts';
import { configSchemas, streamConfigSchema } from '../../shared/steps/config-schema.ts';
import { CONFIG_KEYS } from '../../shared/steps/former-keys.ts';
import { httpSchema } from '../../shared/steps/project-settings.ts';
import { telemetrySections } from '../../shared/steps/telemetry-settings.ts';
import type { MotiaConfig } from '../../shared/types.ts';
import * as z from '../../shared/zod.ts';
import { documentationPages } from '../helpers/markdown.ts';
import { REPOSITORY } from '../helpers/project.ts';

const pageOf = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

/** Keys of the tables below a heading, in their order. */
function documented(heading: string): string[] {
  const section =
    pageOf('docs/configuration.md')
      .split(/^## /m)
      .find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = [...section.matchAll(/^\| (`[^|]+`) \|/gm)];
  return rows.flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, key = '']) => key));
}

/** What a schema has keys for, with dots between those of different depths. */
function keysOf(schema: unknown, prefix = ''): string[] {
  if (schema instanceof z.ZodMiniObject) {
    return Object.entries(schema.shape).flatMap(([key, inner]) => [prefix + key, ...keysOf(inner, `${prefix}${key}.`)]);
  }
  if (schema instanceof z.ZodMiniArray) return keysOf(schema.def.element, prefix);
  if (schema instanceof z.ZodMiniUnion) return schema.def.options.flatMap((option) => keysOf(option, prefix));
  const { innerType } = (schema as { def: { innerType?: unknown } }).def;
  return innerType === undefined ? [] : keysOf(innerType, prefix);
}

const EVERY = documented('Every step');

describe('docs/configuration.md has all keys, and no others', () => {
  test.each([
    ['api', 'API steps'],
    ['event', 'Event steps'],
    ['cron', 'Cron steps'],
    ['noop', 'Noop steps'],
  ] as const)('of %s steps', (type, heading) => {
    const keys = keysOf(configSchemas[type]);
    expect(keys.filter((key) => !EVERY.includes(key)).sort()).toEqual(documented(heading).sort());
  });

  test('of all steps', () => {
    const known = Object.values(configSchemas).flatMap((schema) => keysOf(schema));
    expect(EVERY.filter((key) => !known.includes(key))).toEqual([]);
    expect(EVERY.length).toBeGreaterThan(5);
  });

  test('of streams', () => {
    expect(keysOf(streamConfigSchema).sort()).toEqual(documented('Streams').sort());
  });

  test('of motia.config', () => {
    // These have no schema, but types.
    const workers = { blockedTimeout: true } satisfies Record<keyof NonNullable<MotiaConfig['workers']>, true>;
    const streamAuth = { authenticate: true, contextSchema: true } satisfies Record<
      keyof NonNullable<MotiaConfig['streamAuth']>,
      true
    >;
    const keys = [
      ...CONFIG_KEYS,
      ...keysOf(httpSchema, 'http.'),
      ...keysOf(telemetrySections).filter((key) => key.includes('.')),
      ...Object.keys(workers).map((key) => `workers.${key}`),
      ...Object.keys(streamAuth).map((key) => `streamAuth.${key}`),
    ];
    expect(keys.sort()).toEqual(documented('motia.config').sort());
  });
});

/** Not ours to explain. */
const OF_OTHERS = ['PATH', 'npm_config_user_agent'];

test('every variable of the environment is somewhere in the documentation', () => {
  const text = documentationPages()
    .filter((page) => page.startsWith('docs'))
    .map(pageOf)
    .join('\n');
  const missing = VARIABLES.filter((name) => !OF_OTHERS.includes(name) && !new RegExp(`\`${name}\\b`).test(text));
  expect(missing).toEqual([]);
});
