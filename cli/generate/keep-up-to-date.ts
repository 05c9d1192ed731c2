/** The files that `motia dev` generates anew whenever steps have changed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Manifest } from '../../shared/steps/manifest.ts';
import { writeIfChanged } from '../../shared/write-if-changed.ts';
import { flowDiagram, flowNames } from './mermaid.ts';
import { projectTypes } from './project-types.ts';

export const TYPES_FILE = 'types.d.ts';

/** Ours, and that of Motia 0.x. A file that begins otherwise is somebody's own. */
const GENERATED = /^\/\*\*\s*\* (Types of this project's steps and streams|Automatically generated types for motia)/;

/** `types.d.ts` if the project has one that was generated, and the diagrams of its flows if they are asked for. */
export function keepUpToDate(root: string, withDiagrams: boolean, log: Logger): (manifest: Manifest) => void {
  return ({ steps, streams = [], settings }) => {
    const authContext = settings.streamAuthContext;
    try {
      if (hasGeneratedTypes(root)) writeIfChanged(root, TYPES_FILE, projectTypes({ steps, streams, authContext }));
      if (withDiagrams) writeDiagrams(root, steps);
    } catch (error) {
      log.warn(
        { action: 'generate_failed', err: error },
        'Files that are generated from the steps could not be written',
      );
    }
  };
}

/** One file for each flow. @returns their paths in the project. */
export function writeDiagrams(root: string, steps: Manifest['steps']): string[] {
  return flowNames(steps).map((flow) => {
    const file = `.mermaid/${flow.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '_')}.mmd`;
    writeIfChanged(root, file, flowDiagram(flow, steps));
    return file;
  });
}

function hasGeneratedTypes(root: string): boolean {
  const path = join(root, TYPES_FILE);
  return existsSync(path) && GENERATED.test(readFileSync(path, 'utf8'));
}
