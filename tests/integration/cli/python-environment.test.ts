/** Which Python runs a project's steps, and how its packages get there: with real interpreters, pip, uv and a package index. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../../cli/process-identity.ts';
import { type PythonOptions, preparePythonEnvironment } from '../../../cli/python/environment.ts';
import { PACKAGE_FOLDER, pythonPath, readRequirements } from '../../../cli/python/requirements.ts';
import { findPython, type Interpreter, PythonError } from '../../../cli/python/toolchain.ts';
import { readEnvironment } from '../../../shared/config.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { eventually, waitFor } from '../../helpers/wait-for.ts';

const machine: Interpreter | undefined = await findPython(readEnvironment().searchPath).catch((error: Error) => {
  console.error(`SKIPPED: tests of the Python environment. ${error.message}`);
  return undefined;
});
const realPython = machine?.path ?? '';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'motia-python-')));
afterAll(() => rmSync(dir, { recursive: true }));
const newFolder = () => mkdtempSync(join(dir, 'f-'));

const SIX_1_16 = '8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254'; // SHA-256 of the wheel

/** A folder with these programs in it, each a shell script. */
function programs(scripts: Record<string, string>): string {
  const folder = newFolder();
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}

const RUN_REAL = `exec '${realPython}' "$@"`;
/** The real interpreter, with another version for the code that it runs. */
const RUN_OLD = `exec '${realPython}' -c 'import sys; code = sys.argv[2]; sys.argv[:] = sys.argv[2:]
sys.version_info = (3, 9, 18); exec(code)' "$@"`;

/** A program that prepares the environment with the options in its argument. */
const PREPARE = `
import { preparePythonEnvironment } from '${pathToFileURL(join(REPOSITORY, 'dist/cli/python/environment.js')).href}';
process.on('SIGTERM', () => process.exit());
await preparePythonEnvironment({ ...JSON.parse(process.argv[1]), progress() {} });`;

// In the stamp of an environment that was made with `/bin/false`, for other requirements.
const UPDATE_FALSE = { requirements: '', interpreter: realpathSync('/bin/false') };

type App = ReturnType<typeof project>;

/** A project with these files. `prepare` keeps what was said in `progress`. */
function project(files: Record<string, string> = {}, searchPath = [programs({ python3: RUN_REAL })]) {
  const root = newFolder();
  const progress: string[] = [];
  const path = (file: string) => join(root, file);
  const write = (file: string, text: string) => writeFileSync(path(file), text);
  for (const [file, text] of Object.entries(files)) write(file, text);
  return {
    root,
    progress,
    path,
    write,
    stamp: path('python_modules/.motia.json'),
    python: path('python_modules/bin/python'),
    prepare(options: Partial<PythonOptions> = {}) {
      progress.length = 0;
      const say = (line: string) => void progress.push(line);
      return preparePythonEnvironment({ root, searchPath, needsTracing: false, progress: say, ...options });
    },
  };
}

const ask = (python: string, code: string) => execFileSync(python, ['-c', code], { encoding: 'utf8', cwd: '/' }).trim();
const versionOf = (python: string, name: string) =>
  ask(python, `import importlib.metadata as m; print(*[d.version for d in m.distributions(name="${name}")])`);
const canImport = (python: string, names: string) => ask(python, `import ${names}; print("fine")`) === 'fine';

const restamp = ({ stamp }: App, changes: object) =>
  writeFileSync(stamp, JSON.stringify({ ...JSON.parse(readFileSync(stamp, 'utf8')), ...changes }));

/** Puts a program in the place of the interpreter. */
function relink(app: App, program: string, stampChanges = {}): void {
  rmSync(app.python);
  symlinkSync(program, app.python);
  restamp(app, stampChanges);
}

/** An environment without anything in it, made in a moment. */
function bareVenv(): string {
  const folder = newFolder();
  execFileSync(realPython, ['-m', 'venv', '--without-pip', folder]);
  return folder;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  return error instanceof PythonError ? error.message : `no PythonError: ${error}`;
}

/** PATH with an interpreter and uv. */
let withUv: string[];
let uv: string;

process.env.PIP_RETRIES = '0';

// The first test on a machine downloads.
describe.skipIf(!machine)('the Python environment', { timeout: 60_000 }, () => {
  beforeAll(() => {
    const tools = newFolder();
    execFileSync(realPython, ['-m', 'venv', tools]);
    execFileSync(join(tools, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', 'uv']);
    uv = join(tools, 'bin/uv');
    withUv = [programs({ python3: RUN_REAL, uv: `exec '${uv}' "$@"` })];
  }, 60_000);

  describe("the project's own, with pip", () => {
    const app = project({ 'requirements.txt': '-r more.txt\n', 'more.txt': 'six<1.17\n' });

    test('is made with what the worker and the project require', async () => {
      expect(await app.prepare()).toEqual({ python: app.python, source: 'project', version: machine?.version });
      expect(app.progress).toEqual([
        `Making the Python environment python_modules (Python ${machine?.version}, pip) …`,
        'Installing Python requirements …',
        expect.stringMatching(/^The Python environment is ready after \d+\.\d s$/),
      ]);
      expect(versionOf(app.python, 'six')).toBe('1.16.0');
      expect(versionOf(app.python, 'opentelemetry-sdk')).toBe('');
      expect(canImport(app.python, 'nats, orjson, six')).toBe(true);
      expect(ask(app.python, 'import motia; print(*motia.__path__)')).toBe(join(PACKAGE_FOLDER, 'motia'));
    });

    test('is had at once when nothing has changed, and points to where the package is now', async () => {
      const asked = app.path('asked');
      const interpreter = join(programs({ python: `touch '${asked}'; ${RUN_REAL}` }), 'python');
      const link = join(ask(app.python, 'import sysconfig; print(sysconfig.get_path("purelib"))'), 'motia.pth');
      writeFileSync(link, '/where/it/was\n');
      relink(app, interpreter, { interpreter });
      const before = statSync(app.stamp).mtimeMs;
      expect(await app.prepare({ searchPath: [] })).toMatchObject({ python: app.python, version: machine?.version });
      expect(existsSync(asked), 'an interpreter takes a while to start and to answer').toBe(false);
      expect(app.progress).toEqual([]);
      expect(statSync(app.stamp).mtimeMs).toBe(before);
      expect(readFileSync(link, 'utf8')).toBe(`${PACKAGE_FOLDER}\n`);
      relink(app, realPython, { interpreter: realpathSync(realPython) });
    });

    test('is the same when it is activated', async () => {
      symlinkSync(app.path('python_modules'), join(dir, 'link'));
      expect(await app.prepare({ virtualEnv: join(dir, 'link') })).toMatchObject({ source: 'project' });
    });

    test('fits what was built of the project as well', async () => {
      const requirements = app.path('dist/app');
      mkdirSync(requirements, { recursive: true });
      for (const file of ['requirements.txt', 'more.txt']) {
        writeFileSync(join(requirements, file), readFileSync(app.path(file)));
      }
      expect(await app.prepare({ requirements, searchPath: [] })).toMatchObject({ python: app.python });
      writeFileSync(join(requirements, 'more.txt'), 'six>=1.16\n');
      let said = '';
      await app.prepare({
        requirements,
        details: (text) => {
          said += text;
        },
      });
      expect(said).toContain('Requirement already satisfied: six>=1.16');
    });

    test.each([
      ['an included file', 'six==1.17.0\n', 'six', /^1\.17\.0$/],
      ['requirements that the worker shares', 'orjson<3.13\n', 'orjson', /^3\.1[012]/],
    ])('is updated in place for %s', async (_what, text, name, version) => {
      app.write('python_modules/kept', '');
      app.write('more.txt', text);
      await app.prepare();
      expect(app.progress[0]).toBe('Installing Python requirements …');
      expect(versionOf(app.python, name)).toMatch(version);
      expect(existsSync(app.path('python_modules/kept'))).toBe(true);
    });

    test('may have hashes in its requirements, which those of the worker have not', async () => {
      execFileSync(app.python, ['-m', 'pip', 'uninstall', '-q', '-y', '--disable-pip-version-check', 'orjson']);
      app.write('more.txt', `six==1.16.0 --hash=sha256:${SIX_1_16}\n`);
      await app.prepare();
      expect(ask(app.python, 'import six, orjson; print(six.__version__)')).toBe('1.16.0');
      app.write('more.txt', `six==1.17.0 --hash=sha256:${SIX_1_16}\n`);
      expect(await messageOf(app.prepare())).toMatch(/DO NOT MATCH THE HASHES/);
      app.write('more.txt', 'six\n');
      await app.prepare();
    });

    test.each([
      ['is not there', 'motia-has-no-such-package\n', /No matching distribution found for motia-has-no-such-package/],
      ['excludes one of the worker', 'orjson<3\n', /orjson<3[\s\S]*command was: \S+python -m pip install .*-r req/],
    ])('stays usable when a requirement %s', async (_what, text, message) => {
      const before = readFileSync(app.path('more.txt'), 'utf8');
      app.write('more.txt', text);
      expect(await messageOf(app.prepare())).toMatch(message);
      expect(canImport(app.python, 'six, nats')).toBe(true);
      app.write('more.txt', before);
      expect(await app.prepare()).toMatchObject({ python: app.python });
      expect(app.progress).not.toContainEqual(expect.stringMatching(/^Making/));
    });

    test('takes pyproject.toml where there is no requirements.txt', async () => {
      rmSync(app.path('requirements.txt'));
      app.write('pyproject.toml', '[project]\nname = "app"\ndependencies = [\n  "six == 1.17.0", # comment\n]\n');
      await app.prepare();
      expect(versionOf(app.python, 'six')).toBe('1.17.0');
      expect(versionOf(app.python, 'app')).toBe('');

      app.write('pyproject.toml', '[project]\ndependencies = ["a @ https://me:secret@127.0.0.1:1/a.zip"]\n');
      const said = await messageOf(app.prepare());
      expect(said).toMatch(/The command was: .* "a @ https:\/\/…@127\.0\.0\.1:1/);
      expect(said).not.toContain('secret');
      app.write('pyproject.toml', '[project\n');
      expect(await messageOf(app.prepare())).toMatch(/pyproject\.toml cannot be read: .*line 1/);
      app.write('pyproject.toml', '[project]\ndependencies = "six"\n');
      expect(await messageOf(app.prepare())).toMatch(/dependencies has to be a list of strings/);
    });
  });

  describe("the project's own, with uv", () => {
    let app: App;
    beforeAll(async () => {
      app = project({ 'requirements.txt': 'six\n' }, withUv);
      await app.prepare();
    });

    test('is made and updated, tracing included, which stays', async () => {
      expect(canImport(app.python, 'nats, orjson, six, pip')).toBe(true);
      await app.prepare({ needsTracing: true });
      expect(app.progress[0]).toBe('Installing Python requirements …');
      expect(versionOf(app.python, 'opentelemetry-sdk')).toMatch(/^1\./);
      await app.prepare();
      expect(app.progress).toEqual([]);
      app.write('requirements.txt', 'six>1\n');
      await app.prepare();
      await app.prepare({ needsTracing: true });
      expect(app.progress).toEqual([]);
    });

    test.each<[string, () => void]>([
      ['its interpreter is gone', () => relink(app, '/nowhere/python3')],
      ['its interpreter has become another one', () => relink(app, '/bin/sh')],
      ['its packages are gone', () => rmSync(app.path('python_modules/lib'), { recursive: true })],
      ['it is no environment any more', () => rmSync(app.path('python_modules/pyvenv.cfg'))],
      ['a crash left it half made', () => app.write('python_modules/.motia.json', '{}')],
      ['its stamp is of another platform', () => restamp(app, { platform: 'plan9-vax' })],
      ['its interpreter does not run, and more is required', () => relink(app, '/bin/false', UPDATE_FALSE)],
    ])('is made anew when %s', async (_what, spoil) => {
      app.write('python_modules/left', '');
      spoil();
      await app.prepare();
      expect(app.progress[0]).toMatch(/^Making/);
      expect(canImport(app.python, 'nats, six')).toBe(true);
      expect(existsSync(app.path('python_modules/left'))).toBe(false);
      await app.prepare();
      expect(app.progress).toEqual([]);
    });

    test('one that somebody else has made is filled', async () => {
      const other = project({ 'requirements.txt': 'six\n' }, withUv);
      execFileSync(realPython, ['-m', 'venv', '--without-pip', other.path('python_modules')]);
      await other.prepare();
      expect(other.progress[0]).toBe('Installing Python requirements …');
      expect(canImport(other.python, 'nats, six')).toBe(true);
    });

    test('a folder that is something else is left alone', async () => {
      const other = project({}, withUv);
      mkdirSync(other.path('python_modules'));
      other.write('python_modules/work.py', 'precious = True');
      mkdirSync(other.path('python_modules/bin'));
      const answer = JSON.stringify({ version: '3.12.0', path: '', sitePackages: dir, missing: [] });
      writeFileSync(other.python, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 }); // as one of the system would
      expect(await messageOf(other.prepare())).toMatch(/is not a virtual environment. Move it away/);
      expect(readFileSync(other.path('python_modules/work.py'), 'utf8')).toBe('precious = True');
    });

    test('of several at once, one makes it and the others wait', async () => {
      const other = project({ 'requirements.txt': 'six\n' }, withUv);
      const said: string[] = [];
      const progress = (line: string) => void said.push(line);
      const prepared = await Promise.all(Array.from({ length: 3 }, () => other.prepare({ progress })));
      expect(prepared).toEqual(Array(3).fill({ python: other.python, source: 'project', version: machine?.version }));
      expect(said.filter((line) => line.startsWith('Making'))).toHaveLength(1);
      expect(said.filter((line) => line.startsWith('Installing'))).toHaveLength(1);
    });

    test.each<[NodeJS.Signals, string, string, (app: App) => unknown]>([
      ['SIGTERM', 'it is filled', 'pip', () => {}],
      ['SIGKILL', 'it is updated', 'pip', (other) => other.prepare()],
      ['SIGKILL', 'it is made anew', 'venv', (other) => other.prepare().then(() => relink(other, '/gone'))],
    ])('after %s while %s nothing goes on, and the next start repairs', async (signal, _when, slowCommand, begin) => {
      const other = project({ 'requirements.txt': 'six\n' }, withUv);
      await begin(other);
      if (slowCommand === 'pip') other.write('requirements.txt', 'six>=1\n');
      const pidFile = other.path('installer.pid');
      const slowUv = `'${uv}' "$@"; if [ "$1" = ${slowCommand} ]; then sleep 60 & echo $! > '${pidFile}'; wait; fi`;
      const options = { root: other.root, searchPath: [programs({ python3: RUN_REAL, uv: slowUv })] };
      const args = ['--input-type=module', '-e', PREPARE, JSON.stringify(options)];
      const child = spawn(process.execPath, args, { stdio: 'inherit' });
      const ended = once(child, 'exit');
      const installer = Number(await eventually(() => readFileSync(pidFile, 'utf8').trim(), 'an installer'));
      expect(isAlive(installer)).toBe(true);
      child.kill(signal);
      await ended;
      await waitFor(() => !isAlive(installer), { what: 'the end of the installer' });
      await other.prepare();
      expect(other.progress[0]).toMatch(/^Making/);
      expect(canImport(other.python, 'nats, six')).toBe(true);
    });
  });

  test('MOTIA_PYTHON is told what is missing, with the line that installs it, and is left alone', async () => {
    const configured = join(bareVenv(), 'bin/python');
    const app = project();
    const files = ['requirements.txt', 'requirements-otel.txt'].map((name) => `-r ${join(PACKAGE_FOLDER, name)}`);
    const said = await messageOf(app.prepare({ configured, needsTracing: true }));
    expect(said).toMatch(
      /lacks what the worker needs: nats-py, nkeys, orjson, uvloop, prometheus-client, opentelemetry-sdk, /,
    );
    expect(said.split('\n').at(-1)).toBe(`  ${configured} -m pip install ${files.join(' ')}`);
    expect(await messageOf(app.prepare({ configured }))).not.toContain('otel');
    expect(existsSync(app.path('python_modules'))).toBe(false);
  });

  test('MOTIA_PYTHON wins when it has what is needed, and does not when a version is too old', async () => {
    const folder = bareVenv();
    const configured = join(folder, 'bin/python');
    const install = (...what: string[]) => execFileSync(uv, ['pip', 'install', '-q', '--python', configured, ...what]);
    install('-r', join(PACKAGE_FOLDER, 'requirements.txt'));
    const app = project();
    const found = { python: configured, source: 'configured', version: machine?.version };
    expect(await app.prepare({ configured, virtualEnv: bareVenv() })).toEqual(found);
    expect(app.progress).toEqual([]);
    install('nats-py<2.15');
    expect(await messageOf(app.prepare({ configured }))).toMatch(/lacks what the worker needs: nats-py\. /);
  });

  test.each([
    ['missing', undefined, /MOTIA_PYTHON cannot be used: \S+python3 does not run \(no such file\)/],
    ['failing', 'exit 127', /does not run \(exit code 127\)/],
    ['something else', 'echo hello', /does not answer as a Python interpreter does/],
    ['too old', RUN_OLD, /is Python 3\.9\.18, and 3\.10 or newer is needed/],
  ])('MOTIA_PYTHON that is %s is an error', async (_what, script, message) => {
    const folder = programs(script === undefined ? {} : { python3: script });
    expect(await messageOf(project().prepare({ configured: join(folder, 'python3') }))).toMatch(message);
  });

  test("an activated environment gets what the worker needs, once, and nothing of the project's", async () => {
    const virtualEnv = bareVenv();
    const app = project({ 'requirements.txt': 'six\n' }, withUv);
    const python = join(virtualEnv, 'bin/python');
    const found = { python, source: 'activated', version: machine?.version };
    expect(await app.prepare({ virtualEnv })).toEqual(found);
    const line = `Installing what the Python worker needs into ${virtualEnv}: nats-py, nkeys, orjson, uvloop, prometheus-client …`;
    expect(app.progress).toEqual([line]);
    expect(canImport(python, 'nats, orjson, motia')).toBe(true);
    expect(versionOf(python, 'six')).toBe('');
    expect(await app.prepare({ virtualEnv, searchPath: [] })).toEqual(found);
    expect(app.progress).toEqual([]);
    expect(existsSync(app.path('python_modules'))).toBe(false);
  });

  test("an activated environment that is gone gives way to the project's own", async () => {
    const app = project({}, withUv);
    expect(await app.prepare({ virtualEnv: '/gone' })).toMatchObject({ source: 'project' });
    expect(app.progress[0]).toMatch(/^VIRTUAL_ENV cannot be used: \/gone\S+ does not run .*Using python_modules/);
  });

  test('the interpreter on PATH is the newest by name that runs and is new enough', async () => {
    const first = programs({ 'python3.13': 'exit 127', 'python3.12': RUN_OLD, python3: RUN_REAL });
    expect(await findPython([first])).toMatchObject({ path: realPython });
    await expect(findPython([programs({ 'python3.13': RUN_OLD, python: 'exit 127' })])).rejects.toThrow(
      /PATH has none\.\n {2}- \S+python3\.13 is Python 3\.9\.18, .*\n {2}- \S+python does not run \(exit code 127\)\n/,
    );
  });

  test('the interpreter on PATH is none: one message, and what was there stays', async () => {
    const app = project({ 'requirements.txt': 'six\n' }, withUv);
    await app.prepare();
    relink(app, '/nowhere');
    const message =
      /^Python 3\.10 or newer is needed for Python steps, and PATH has none\.\nInstall it .* MOTIA_PYTHON/;
    expect(await messageOf(app.prepare({ searchPath: [] }))).toMatch(message);
    expect(existsSync(app.path('python_modules/pyvenv.cfg'))).toBe(true);
  });

  test('the interpreter on PATH is not the one of the environment that is to be made', async () => {
    const app = project({ 'requirements.txt': 'six\n' }, withUv);
    await app.prepare();
    app.write('python_modules/.motia.json', '{}');
    await app.prepare({ searchPath: [dirname(app.python), ...withUv], virtualEnv: app.path('python_modules') });
    expect(canImport(app.python, 'nats, six')).toBe(true);
  });
});

test('requirement files that include each other are read once', async () => {
  const { root } = project({ 'requirements.txt': '-r b.txt', 'b.txt': '--requirement=requirements.txt\n' });
  expect(await readRequirements(root)).toMatchObject({ projectFile: 'requirements.txt' });
});

test('PYTHONPATH is continued', () => {
  expect(pythonPath('')).toBe(PACKAGE_FOLDER);
  expect(pythonPath('/a:/b')).toBe(`${PACKAGE_FOLDER}:/a:/b`);
});
