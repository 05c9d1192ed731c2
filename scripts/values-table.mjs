// The table of the Helm chart's values in docs/kubernetes.md, from values.yaml and its schema: `node scripts/values-table.mjs` writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const PAGE = at('docs/kubernetes.md');
const CHART = at('deploy/helm/motia/');

/** Where it stands in the page. */
export const TABLE = /(?<=<!-- values -->\n\n)[\s\S]*?(?=\n<!-- end of values -->)/;

export function valuesTable() {
  const schema = JSON.parse(readFileSync(`${CHART}values.schema.json`, 'utf8'));
  const values = parse(readFileSync(`${CHART}values.yaml`, 'utf8'));
  const all = rows(schema, values, '');
  const said = new Set(all.map(([path, , meaning]) => path + meaning));
  const isSaid = ([path, , meaning]) =>
    path.startsWith('pythonWorkers[].') && said.has(path.replace('pythonWorkers', 'workers') + meaning);
  const lines = all
    .filter((row) => !isSaid(row))
    .map(([path, value, meaning]) => `| \`${path}\` | ${value === undefined ? '' : `\`${value}\``} | ${meaning} |`);
  return ['| value | default | meaning |', '| --- | --- | --- |', ...lines, ''].join('\n');
}

/** [path, default, meaning] of a value and of what is in it. */
function rows(schema, value, path) {
  const { properties, items, description = '' } = schema;
  const group = items?.properties && [...own(path, undefined, description), ...inside(items, undefined, `${path}[].`)];
  if (group) return group;
  if (properties) return [...own(path, undefined, description), ...inside(schema, value, path && `${path}.`)];
  return own(path, value === undefined ? undefined : JSON.stringify(value), description);
}

const own = (path, value, description) => (path === '' ? [] : [[path, value, description.replaceAll('|', '\\|')]]);

const inside = ({ properties }, value, prefix) =>
  Object.entries(properties).flatMap(([name, of]) => rows(of, value?.[name], prefix + name));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, readFileSync(PAGE, 'utf8').replace(TABLE, valuesTable()));
}
