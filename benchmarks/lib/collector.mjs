// The parent's side of the stand-in for an OpenTelemetry collector.
import { ask, freePort } from './processes.mjs';

export class Collector {
  #process;

  constructor(process, url) {
    this.#process = process;
    this.url = url;
  }

  /** @param {import('./processes.mjs').Scope} scope */
  static async start(scope) {
    const port = await freePort();
    const process = await scope.fork(new URL('collector-process.mjs', import.meta.url), [port]);
    return new Collector(process, `http://127.0.0.1:${port}`);
  }

  /** How many spans have come so far. @returns {Promise<number>} */
  async spans() {
    return (await ask(this.#process, 'count')).spans;
  }
}
