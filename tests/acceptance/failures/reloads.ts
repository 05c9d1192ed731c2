/** Edits to a project that is being served, of every kind that people make, and clients that must not notice them. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CliOptions, type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type ReloadSources, typeScriptSources } from './reload-sources.ts';

export interface Answer {
  status: number;
  body: { version?: number; helper?: number };
}

/** Not how long an edit takes, which the benchmarks measure, but when it is surely lost. */
const LOST_AFTER_MS = 20_000;
/** Of a client between two calls: so that the edits have the machine, and some client calls at any moment. */
const PAUSE_MS = 25;

export class Reloads implements AsyncDisposable {
  readonly cli: RunningCli;
  readonly #project: Project;
  readonly #sources: ReloadSources;
  readonly #agent = new Agent({ keepAlive: true });
  #version = 0;

  private constructor(project: Project, sources: ReloadSources, cli: RunningCli) {
    this.#project = project;
    this.#sources = sources;
    this.cli = cli;
  }

  /** Starts `motia dev` in a project made for this. */
  static async start(sources = typeScriptSources, options: CliOptions = {}): Promise<Reloads> {
    const { stepFile, helperFile, helper, api, files } = sources;
    const project = await createProject({
      files: {
        ...files,
        [helperFile]: helper(0),
        [stepFile('edited-get')]: edited(sources, 0, 'GET'),
        [stepFile('edited-post')]: edited(sources, 0, 'POST'),
        [stepFile('other')]: api('Other', 'GET', '/other', { version: 0 }),
        [stepFile('moving')]: moving(sources, 0),
      },
    });
    return new Reloads(project, sources, await startCli('dev', project, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.cli.stop();
    await this.#project[Symbol.asyncDispose]();
  }

  /** The kinds of edits; each resolves when its effect is served. */
  readonly kinds = {
    handler: () =>
      this.#shows('GET', '/edited', 'version', (version) =>
        this.#write('edited-get', edited(this.#sources, version, 'GET')),
      ),
    postHandler: () =>
      this.#shows('POST', '/edited', 'version', (version) =>
        this.#write('edited-post', edited(this.#sources, version, 'POST')),
      ),
    helper: () =>
      this.#shows('GET', '/edited', 'helper', (version) =>
        this.#project.write(this.#sources.helperFile, this.#sources.helper(version)),
      ),
    rename: () => {
      const version = ++this.#version;
      return this.#answers(`/moving-${version}`, 200, () => this.#write('moving', moving(this.#sources, version)));
    },
    addAndDelete: async () => {
      const name = `added-${++this.#version}`;
      await this.#answers(`/${name}`, 200, () => this.#write(name, this.#sources.api(name, 'GET', `/${name}`, {})));
      await this.#answers(`/${name}`, 404, () => this.#project.remove(this.#sources.stepFile(name)));
    },
    removeMoving: () => this.#answers('/moving-0', 404, () => this.#project.remove(this.#sources.stepFile('moving'))),
    syntaxError: () => this.#breaks(this.#sources.syntaxError),
    importError: () => this.#breaks(this.#sources.importError),
  };

  /** Adds a step whose handler computes from its call on. @returns what ends that. */
  async addComputing(): Promise<() => Promise<void>> {
    const file = this.#sources.stepFile('computing');
    const end = 'computed-enough';
    await this.#project.write(file, this.#sources.computing('Computing', '/computing', end));
    const isServed = async () => {
      const { body } = await this.call('GET', '/__motia/api/v1/steps'); // as the gateway knows them, which hears of them last
      return JSON.stringify(body).includes('/computing');
    };
    await waitFor(isServed, { what: 'the new step to be served', within: LOST_AFTER_MS });
    return () => this.#project.write(end, '');
  }

  /** An edit (of a TypeScript project) that never finishes loading. */
  async hang(): Promise<void> {
    await this.#write('edited-get', `await new Promise(() => {});\n${edited(this.#sources, -1, 'GET')}`);
  }

  /** Those that can be made again and again. */
  get everyKind(): (() => Promise<void>)[] {
    const { removeMoving: _, ...others } = this.kinds;
    return Object.values(others);
  }

  /** One request over a kept-alive connection. */
  call(method: string, path: string, agent = this.#agent): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.cli.url), { method, agent, timeout: 20_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode as number, body: JSON.parse(text) }));
        response.on('error', reject);
      });
      call.on('timeout', () => call.destroy(new Error(`${method} ${path} was not answered in 20 s`)));
      call.on('error', reject).end();
    });
  }

  #write(step: string, text: string): Promise<void> {
    return this.#project.write(this.#sources.stepFile(step), text);
  }

  async #shows(
    method: string,
    path: string,
    field: 'version' | 'helper',
    edit: (version: number) => Promise<void>,
  ): Promise<void> {
    const version = ++this.#version;
    await this.#served(
      () => edit(version),
      async () => (await this.call(method, path)).body[field] === version,
      `${path} of ${version}`,
    );
  }

  async #answers(path: string, status: number, edit: () => Promise<void>): Promise<void> {
    await this.#served(edit, async () => (await this.call('GET', path)).status === status, `${status} for ${path}`);
  }

  /** Breaks a step, has a look at what is served meanwhile, and repairs it with something new. */
  async #breaks(text: string): Promise<void> {
    const before = await this.call('GET', '/edited');
    const told = () => this.cli.logs({ action: 'step_broken' }).length;
    const toldBefore = told();
    await this.#write('edited-get', edited(this.#sources, ++this.#version, 'GET') + text);
    await waitFor(() => told() > toldBefore, { what: 'the broken step to be reported', within: LOST_AFTER_MS });
    const meanwhile = await this.call('GET', '/edited');
    if (meanwhile.body.version !== before.body.version)
      throw new Error(`a broken edit is served: ${JSON.stringify(meanwhile)}`);
    await this.kinds.handler();
  }

  async #served(edit: () => Promise<void>, isServed: () => Promise<boolean>, what: string): Promise<void> {
    await edit();
    await waitFor(isServed, { what, within: LOST_AFTER_MS, every: 5 });
  }
}

const edited = ({ api }: ReloadSources, version: number, method: string) =>
  api(`Edited${method}`, method, '/edited', { version, helper: 'helper' });
const moving = ({ api }: ReloadSources, version: number) => api('Moving', 'GET', `/moving-${version}`, { version });

/** Clients with a connection each that call what stays in the project, again and again, and note what goes wrong. */
export function startClients(reloads: Reloads, count: number): { failures: string[]; stop(): Promise<number> } {
  const failures: string[] = [];
  const targets = [
    ['GET', '/edited'],
    ['POST', '/edited'],
    ['GET', '/other'],
  ] as const;
  let going = true;
  let calls = 0;
  const clients = Array.from({ length: count }, async (_, i) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = i; going; n++) {
      const [method, path] = targets[n % targets.length] as (typeof targets)[number];
      const outcome = await reloads.call(method, path, agent).then(({ status }) => status, String);
      calls++;
      if (outcome !== 200) failures.push(`${method} ${path}: ${outcome}`);
      await sleep(PAUSE_MS);
    }
    agent.destroy();
  });
  return {
    failures,
    async stop() {
      going = false;
      await Promise.all(clients);
      return calls;
    },
  };
}
