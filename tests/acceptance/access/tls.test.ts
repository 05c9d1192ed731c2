/** TLS to the broker, with certificates of both sides, for processes of both languages. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { testPython } from '../../helpers/python.ts';
import { type LockedBroker, startLockedBroker, writeConfig } from './locked-broker.ts';

const run = promisify(execFile);

const files = {
  'package.json': '{ "name": "sealed", "type": "module" }',
  'src/hello.step.js': `export const config = { type: 'api', name: 'Hello', method: 'GET', path: '/node', emits: [] };
    export const handler = async () => ({ status: 200, body: 'node' });\n`,
};
const python = {
  'src/hello_step.py': `
config = {"type": "api", "name": "HelloPy", "method": "GET", "path": "/python", "emits": []}

async def handler(request, context):
    return {"status": 200, "body": "python"}
`,
};

let project: Project;
let broker: LockedBroker;
afterAll(() => broker?.stop());
let tls: { NATS_CA: string; NATS_CERT: string; NATS_KEY: string };

beforeAll(async () => {
  project = await createProject({ files: (await testPython()) ? { ...files, ...python } : files });
  await makeCertificates(project);
  const path = (name: string) => project.path(`tls/${name}.pem`);
  await writeConfig(project, '--tls-cert', path('server'), '--tls-key', path('server-key'), '--tls-ca', path('ca'));
  const caFile = path('ca');
  const certFile = path('client');
  const keyFile = path('client-key');
  tls = { NATS_CA: caFile, NATS_CERT: certFile, NATS_KEY: keyFile };
  broker = await startLockedBroker(project, { servers: '', caFile, certFile, keyFile });
}, 120_000);

test('calls go through, in both languages', async () => {
  const interpreter = await testPython();
  const env = (user: string) => ({ ...broker.env(user), ...tls, ...(interpreter && { MOTIA_PYTHON: interpreter }) });
  const provision = await startCli('provision', project, { env: env('provision'), ready: false });
  expect(await provision.exited, provision.output()).toBe(0);
  const [gateway] = await Promise.all([
    startCli('gateway', project, { env: env('gateway') }),
    startCli('worker', project, { env: env('worker') }),
    ...(interpreter ? [startCli('python-worker', project, { env: env('python-worker') })] : []),
  ]);
  expect(await (await gateway.fetch('/node')).text()).toBe('node');
  if (interpreter) expect(await (await gateway.fetch('/python')).text()).toBe('python');
});

test('neither a client without a certificate, nor a server that another authority vouches for', async () => {
  const { certFile: _, keyFile: __, ...bare } = broker.address('gateway');
  const refused = (address: typeof bare) => connectBroker(address, { name: 'stranger', timeoutMs: 500 });
  await expect(refused(bare)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  const other = { ...broker.address('gateway'), caFile: project.path('tls/other-ca.pem') };
  await expect(refused(other)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
});

/** Two authorities, and certificates of the first for the server and for clients. */
async function makeCertificates(into: Project): Promise<void> {
  await into.write('tls/san.cnf', 'subjectAltName=DNS:localhost\n');
  const openssl = (...args: string[]) => run('openssl', args, { cwd: into.path('tls') });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const ca of ['ca', 'other-ca']) {
    await openssl('req', '-x509', ...key, '-keyout', `${ca}-key.pem`, '-out', `${ca}.pem`, '-subj', `/CN=${ca}`);
  }
  for (const name of ['server', 'client']) {
    await openssl('req', ...key, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-extfile', 'san.cnf'];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
  }
}
