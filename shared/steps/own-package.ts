/**
 * What `import … from 'motia'` means in compiled steps: the exports of the package that runs them, handed over by
 * whoever loads them. So there is one instance of it, and compiled modules run wherever the package is installed.
 */
import * as motia from '../../index.ts';

const PLACE = "globalThis[Symbol.for('motia')]";

/** The module that stands for this package when steps are compiled. */
export const OWN_PACKAGE_SOURCE = Object.keys(motia)
  .map((name) => `export const ${name} = ${PLACE}.${name};\n`)
  .join('');

/** To be called before a compiled module is imported. */
export function handOverOwnPackage(): void {
  Object.assign(globalThis, { [Symbol.for('motia')]: motia });
}
