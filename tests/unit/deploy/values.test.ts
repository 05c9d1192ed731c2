/** The values of the Helm chart, their schema and their table in the documentation are about the same things. */
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
// @ts-expect-error a script without types
import { TABLE, valuesTable } from '../../../scripts/values-table.mjs';
import { REPOSITORY } from '../../helpers/project.ts';

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
}

const CHART = join(REPOSITORY, 'deploy/helm/motia');
const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;

test('the documentation says what the schema says: node scripts/values-table.mjs writes it', () => {
  const page = readFileSync(join(REPOSITORY, 'docs/kubernetes.md'), 'utf8');
  expect(TABLE.exec(page)?.[0]).toBe(valuesTable());
});

test('every value has a description, and every one outside of groups a default', () => {
  const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  const missing: string[] = [];
  (function look({ properties = {} }: Schema, value: Record<string, unknown> | undefined, path: string): void {
    for (const [name, of] of Object.entries(properties)) {
      if (!of.description) missing.push(`description of ${path}${name}`);
      if (value && !(name in value) && path + name !== 'global') missing.push(`default of ${path}${name}`);
      look(of, value && (value[name] as Record<string, unknown>), `${path}${name}.`);
      if (of.items) look(of.items, undefined, `${path}${name}[].`);
    }
  })(schema, values, '');
  expect(missing).toEqual([]);
});

test.each([
  ['rules.yml', 'prometheus/rules.yml'],
  ['dashboard.json', 'grafana/dashboards/motia.json'],
])('%s of the chart is a copy of %s, since npm packs no links', (copy, original) => {
  const [own, theirs] = [join(CHART, 'files', copy), join(REPOSITORY, 'deploy', original)];
  expect(lstatSync(own).isFile()).toBe(true);
  expect(readFileSync(own, 'utf8'), `cp ${theirs} ${own}`).toBe(readFileSync(theirs, 'utf8'));
});
