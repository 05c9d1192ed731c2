// The parent's side of the load generator.
import { ask } from './processes.mjs';

export class Load {
  #client;

  constructor(client) {
    this.#client = client;
  }

  /** @param {import('./processes.mjs').Scope} scope */
  static async start(scope) {
    return new Load(await scope.fork(new URL('load-client.mjs', import.meta.url)));
  }

  /**
   * @param {import('./load-client.mjs').LoadOrder} order
   * @returns {Promise<import('./load-client.mjs').LoadResult>}
   */
  run(order) {
    return ask(this.#client, order);
  }

  /** Ends the running order before its time. */
  stop() {
    this.#client.send('stop');
  }
}
