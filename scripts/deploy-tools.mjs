// Builds what the tests of `deploy/` run, from the Go module proxy, into the cache: Docker's loader of compose files, helm, kubeconform, a
// Kubernetes API server with its etcd, and the schemas of what the chart makes; or those that are named as arguments. Takes Go; cold, some
// ten minutes of two cores. What is there already stays.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

const COMPOSE = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2';
const HELM = 'helm.sh/helm/v3/cmd/helm@v3.22.0';
const KUBECONFORM = 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0';
const ETCD = 'go.etcd.io/etcd/server/v3@v3.7.3';
const KUBERNETES = 'v1.36.3';
/** Kubernetes' own parts are modules of this version. */
const PARTS = KUBERNETES.replace('v1.', 'v0.');
const CRDS = {
  'github.com/kedacore/keda/v2@v2.21.0': ['config/crd/bases/keda.sh_scaledobjects.yaml'],
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': ['podmonitors', 'prometheusrules'].map(
    (kind) => `example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml`,
  ),
};
const BUILD_WITHIN_MS = 30 * 60_000;

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'motia/tests/deploy');
const environment = { ...process.env, GOFLAGS: '-mod=mod -buildvcs=false' };

const makers = {
  'compose-go': buildComposeLoader,
  helm: (folder) => install(HELM, folder),
  kubeconform: (folder) => install(KUBECONFORM, folder),
  etcd: buildEtcd,
  'kube-apiserver': buildApiServer,
  crds: copyCrds,
  schemas: writeSchemas, // of the crds
};
const named = process.argv.slice(2);
const names = named.length > 0 ? named : Object.keys(makers);

mkdirSync(cache, { recursive: true });
for (const name of names) make(name, makers[name]);
console.log(`All there: ${cache}`);

/** Makes a file or folder of the cache in a folder of its own, so that it is there as a whole or not at all. */
function make(name, build) {
  if (existsSync(join(cache, name))) return;
  console.log(`Making ${name} …`);
  const folder = mkdtempSync(join(tmpdir(), 'motia-deploy-tools-'));
  try {
    build(folder, join(folder, name));
    cpSync(join(folder, name), join(cache, `${name}.new`), { recursive: true });
    renameSync(join(cache, `${name}.new`), join(cache, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function go(args, { cwd = tmpdir(), env = {} } = {}) {
  const stdio = ['ignore', 'pipe', 'inherit'];
  return execFileSync('go', args, {
    cwd,
    stdio,
    timeout: BUILD_WITHIN_MS,
    encoding: 'utf8',
    env: { ...environment, ...env },
  });
}

function install(program, folder) {
  go(['install', '-trimpath', '-ldflags=-s -w', program], { env: { GOBIN: folder, GOFLAGS: '-buildvcs=false' } });
}

/** Its package is named `cmd`. */
function buildComposeLoader(folder, output) {
  install(COMPOSE, folder);
  renameSync(join(folder, 'cmd'), output);
}

/** Folder of a module of the proxy. */
function moduleFolder(module) {
  return JSON.parse(go(['mod', 'download', '-json', module])).Dir;
}

function buildEtcd(folder, output) {
  const main = `package main\n\nimport (\n\t"os"\n\n\t"go.etcd.io/etcd/server/v3/etcdmain"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n`;
  writeFileSync(join(folder, 'main.go'), main);
  go(['mod', 'init', 'build'], { cwd: folder, env: { GOFLAGS: '' } });
  go(['get', ETCD], { cwd: folder });
  go(['build', '-trimpath', '-ldflags=-s -w', '-o', output, '.'], { cwd: folder });
}

/** `go install` refuses Kubernetes, whose module names its parts by folders beside it: named by their versions, they can be had. */
function buildApiServer(folder, output) {
  const source = moduleFolder(`k8s.io/kubernetes@${KUBERNETES}`);
  const description = readFileSync(join(source, 'go.mod'), 'utf8')
    .replace(/^module .*$/m, 'module build')
    .replace(/^(\t(k8s\.io\/[\w-]+)) v0\.0\.0$/gm, `$1 ${PARTS}`)
    .replace(/^\t(k8s\.io\/[\w-]+) => \.\/staging\/.*$/gm, `\t$1 => $1 ${PARTS}`);
  writeFileSync(join(folder, 'go.mod'), `${description}\nrequire k8s.io/kubernetes ${KUBERNETES}\n`);
  writeFileSync(join(folder, 'go.sum'), readFileSync(join(source, 'go.sum')));
  const version = `-s -w -X k8s.io/component-base/version.gitVersion=${KUBERNETES}`;
  go(['build', '-trimpath', `-ldflags=${version}`, '-o', output, 'k8s.io/kubernetes/cmd/kube-apiserver'], {
    cwd: folder,
  });
}

function copyCrds(_folder, output) {
  for (const [module, files] of Object.entries(CRDS)) {
    const source = moduleFolder(module);
    for (const file of files) cpSync(join(source, file), join(output, file.split('/').at(-1)));
  }
}

/** One strict JSON Schema for each kind of resource, as kubeconform looks for them: `<kind>-<group>-<version>.json`. */
function writeSchemas(_folder, output) {
  mkdirSync(output);
  const file = join(moduleFolder(`k8s.io/kubernetes@${KUBERNETES}`), 'api/openapi-spec/swagger.json');
  const { definitions } = JSON.parse(readFileSync(file, 'utf8'));
  const strict = Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, strictOf(schema)]));
  strict['io.k8s.apimachinery.pkg.api.resource.Quantity'] = { type: ['string', 'number'] };
  strict['io.k8s.apimachinery.pkg.util.intstr.IntOrString'] = { type: ['string', 'integer'] };
  for (const [name, schema] of Object.entries(definitions)) {
    for (const { group, version, kind } of schema['x-kubernetes-group-version-kind'] ?? []) {
      const needed = Object.fromEntries([...reachedFrom(name, strict)].map((each) => [each, strict[each]]));
      write(output, kind, group, version, { ...strict[name], definitions: needed });
    }
  }
  for (const path of Object.values(CRDS).flat()) {
    for (const document of parseAllDocuments(readFileSync(join(cache, 'crds', path.split('/').at(-1)), 'utf8'))) {
      const { spec } = document.toJS();
      for (const { name, schema } of spec.versions) {
        const root = strictOf(schema.openAPIV3Schema);
        root.properties.metadata = { type: 'object' };
        write(output, spec.names.kind, spec.group, name, root);
      }
    }
  }
}

function write(folder, kind, group, version, schema) {
  const name = [kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase();
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(schema));
}

/** The same without room for fields that it does not name. */
function strictOf(node) {
  if (Array.isArray(node)) return node.map(strictOf);
  if (typeof node !== 'object' || node === null) return node;
  if (node['x-kubernetes-int-or-string'] || node.format === 'int-or-string') return { type: ['string', 'integer'] };
  const strict = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === 'properties'
        ? Object.fromEntries(Object.entries(value).map(([property, of]) => [property, strictOf(of)]))
        : strictOf(value),
    ]),
  );
  const isOpen = strict.additionalProperties || strict['x-kubernetes-preserve-unknown-fields'];
  return strict.properties && !isOpen ? { ...strict, additionalProperties: false } : strict;
}

/** Names of the definitions that one needs. */
function reachedFrom(name, definitions, reached = new Set()) {
  if (reached.has(name) || !definitions[name]) return reached;
  reached.add(name);
  for (const [, next] of JSON.stringify(definitions[name]).matchAll(/#\/definitions\/([^"]+)/g)) {
    reachedFrom(next, definitions, reached);
  }
  return reached;
}
