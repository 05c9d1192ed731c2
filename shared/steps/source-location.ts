/**
 * What `__dirname`, `import.meta.url` and the like mean in compiled modules: the place of the source file in the project. It is
 * worked out from where the module itself is, so that a built project can be moved.
 */
import { dirname } from 'node:path/posix';

/** `define` of the bundler: only free names are replaced, so a file's own `const __dirname` stays what it is. */
export const LOCATION_NAMES = {
  __dirname: '__motia_dirname',
  __filename: '__motia_filename',
  'import.meta.dirname': '__motia_dirname',
  'import.meta.filename': '__motia_filename',
  'import.meta.url': '__motia_url',
};

/** Stands in the banner for the path from a module to the project; every module has its own. */
const HOME = '"motia:home"';

/** Before every module. `require` is for packages in files that use `import` beside it. */
export const LOCATION_BANNER = `import { createRequire as __motiaCreateRequire } from 'node:module';
import { resolve as __motiaResolve } from 'node:path';
import { fileURLToPath as __motiaToPath, pathToFileURL as __motiaToUrl } from 'node:url';
const __motiaAt = (file) => __motiaResolve(__motiaToPath(import.meta.url), ${HOME}, file);
const require = __motiaCreateRequire(__motiaAt('package.json'));`;

/** A compiled module that knows the way: `path` leads from its own file to the project, with `/`. */
export function withHome(contents: Uint8Array, path: string): Uint8Array {
  const module = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength);
  const at = module.indexOf(HOME);
  if (at < 0) return contents; // a style sheet, say
  return Buffer.concat([module.subarray(0, at), Buffer.from(JSON.stringify(path)), module.subarray(at + HOME.length)]);
}

/**
 * Declarations that make those names mean the source file. They go before the first line, only into files that mention such a
 * name, so that line numbers stay.
 * @param file relative to the project, with `/`
 */
export function locationPrefix(file: string, text: string): string {
  if (file.endsWith('.json')) return '';
  const declarations: string[] = [];
  const at = (path: string) => `__motiaAt(${JSON.stringify(path)})`;
  if (/__dirname|import\.meta\.dirname/.test(text)) declarations.push(`__motia_dirname=${at(dirname(file))}`);
  if (/__filename|import\.meta\.filename/.test(text)) declarations.push(`__motia_filename=${at(file)}`);
  if (/import\.meta\.url/.test(text)) declarations.push(`__motia_url=__motiaToUrl(${at(file)}).href`);
  // `require.main === module` in a file with `export`, where no `module` exists: never the main module.
  if (/require\.main/.test(text) && /^\s*export\b/m.test(text)) declarations.push('module={}');
  return declarations.length > 0 ? `var ${declarations.join(',')};` : '';
}

/** Length of that prefix as it shows in the first line that esbuild reports. */
export function locationPrefixLength(line: string): number {
  return /^var (__motia_|module=).*?;/.exec(line)?.[0].length ?? 0;
}
