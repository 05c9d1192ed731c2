/** The documentation as a project: what names a file becomes that file, all else a fragment beside them. */
import { basename } from 'node:path';
import { type CodeBlock, codeBlocks, documentationPages } from '../../helpers/markdown.ts';
import { createProject, type Project } from '../../helpers/project.ts';

/** As the one of a new project, and with what pages of browsers need. */
const COMPILER_OPTIONS = {
  target: 'ES2022',
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  module: 'ESNext',
  moduleResolution: 'bundler',
  jsx: 'react-jsx',
  types: ['node'],
  strict: true,
  allowImportingTsExtensions: true,
  allowJs: true,
  skipLibCheck: true,
  noEmit: true,
};
/** What the documentation imports: by its name, where it is. */
const PACKAGES = Object.fromEntries(
  [
    'zod',
    'graphql',
    'react',
    'motia-stream-client',
    '@motiadev/stream-client',
    '@motiadev/stream-client-browser',
    '@opentelemetry/api',
    '@types/node',
    '@types/react',
  ].map((name) => [name, name]),
);
/** Languages of code, and how their files end. */
const ENDINGS: Readonly<Record<string, string>> = { ts: 'ts', tsx: 'tsx', js: 'js', python: 'py' };

const HANDLER_HEAD =
  'export const handler = async ({ emit, state, streams, logger, traceId, signal, attempt }: FlowContext) => {';

/**
 * A project with all code of the documentation. Files of a page are in a folder of its own, so that pages may have files of the same
 * name; steps of the same name, or with the same path, would be a mistake.
 */
export async function documentationProject(): Promise<Project> {
  const files: Record<string, string> = {
    'package.json': '{ "name": "documentation", "type": "module" }',
    'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['src', 'fragments', 'types.d.ts'] }),
  };
  for (const block of documentationPages().flatMap(codeBlocks)) {
    const ending = ENDINGS[block.language];
    if (ending === undefined || block.title !== undefined) continue;
    const [path, code] = placed(block, ending);
    if (files[path] !== undefined) throw new Error(`${block.page} has two blocks of ${block.file}`);
    files[path] = code;
  }
  return createProject({ files, packages: PACKAGES });
}

function placed(block: CodeBlock, ending: string): [path: string, code: string] {
  const page = block.page.replace(/\.md$/, '').replaceAll(/\W+/g, '_');
  const { file, frame, code } = block;
  if (frame === undefined && file !== undefined) return [`src/${page}/${file.replace(/^(src|steps)\//, '')}`, code];
  const name = file === undefined ? '' : `_${basename(file).replace(/\.\w+$/, '')}`;
  const path = `fragments/${page}_${block.line}${name}.${ending}`;
  const given = frame?.given ?? '';
  if (frame?.within !== 'a handler') return [path, `${given}\n${code}`];
  if (ending === 'py') {
    const lines = code.split('\n').map((line) => (line === '' ? line : `    ${line}`));
    return [
      path,
      `from motia import FlowContext\n${given}\n\nasync def handler(context: FlowContext):\n${lines.join('\n')}`,
    ];
  }
  return [path, `import type { FlowContext } from 'motia';\n${given}\n${HANDLER_HEAD}\n${code}};\n`];
}
