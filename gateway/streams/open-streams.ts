/** Access without asking user code: whoever likes may follow a stream that has no `canAccess`, and nobody one that has it. */
import type { Manifest } from '../../shared/steps/manifest.ts';
import type { StreamAccess } from './access.ts';

export class OpenStreams implements StreamAccess {
  readonly #manifest: () => Manifest | undefined;

  constructor(manifest: () => Manifest | undefined) {
    this.#manifest = manifest;
  }

  async authenticate(): Promise<unknown> {
    return null;
  }

  async canAccess(stream: string): Promise<boolean> {
    const entry: { canAccess?: true; guarded?: true } | undefined = this.#manifest()?.streams?.find(
      ({ name }) => name === stream,
    );
    return entry !== undefined && entry.canAccess !== true && entry.guarded !== true;
  }
}
