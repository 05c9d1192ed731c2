/** The files of the project that is edited, in either language. Both projects have the same routes and answers. */

/** Fields of an answer; `helper` is the value that the helper module has. */
export type AnswerFields = Record<string, number | 'helper'>;

export interface ReloadSources {
  /** What has to be in the project besides. */
  files: Record<string, string>;
  /** Path of the helper module. */
  helperFile: string;
  stepFile(name: string): string;
  helper(value: number): string;
  /** An API step. */
  api(name: string, method: string, path: string, answer: AnswerFields): string;
  /** One of `GET`, with a handler that computes until there is this file. */
  computing(name: string, path: string, end: string): string;
  /** Text that no step file may end with. */
  syntaxError: string;
  /** Text that fails when it is imported. */
  importError: string;
}

const typeScriptConfig = (name: string, method: string, path: string) =>
  `export const config = { type: 'api', name: '${name}', method: '${method}', path: '${path}', emits: [] };\n`;

export const typeScriptSources: ReloadSources = {
  files: { 'package.json': '{ "type": "module" }' },
  helperFile: 'src/helper.ts',
  stepFile: (name) => `src/${name}.step.ts`,
  helper: (value) => `export const helper = ${value};\n`,
  api(name, method, path, answer) {
    const fields = Object.entries(answer).map(([field, value]) => `${field}: ${value}`);
    const head = fields.some((field) => field.endsWith('helper')) ? `import { helper } from './helper.js';\n` : '';
    const handler = `export const handler = async () => ({ status: 200, body: { ${fields.join(', ')} } });\n`;
    return head + typeScriptConfig(name, method, path) + handler;
  },
  computing: (name, path, end) => `import { existsSync } from 'node:fs';
    ${typeScriptConfig(name, 'GET', path)}
    export const handler = async () => {
      while (!existsSync('${end}'));
      return { status: 200, body: {} };
    };`,
  syntaxError: '\nexport const broken = {',
  importError: `\nthrow new Error('at import');\n`,
};

const pythonConfig = (name: string, method: string, path: string) =>
  `config = {"type": "api", "name": "${name}", "method": "${method}", "path": "${path}", "emits": []}\n`;

export const pythonSources: ReloadSources = {
  files: { 'package.json': '{}' },
  helperFile: 'src/services/helper.py',
  stepFile: (name) => `src/${name.replaceAll('-', '_')}_step.py`,
  helper: (value) => `helper = ${value}\n`,
  api(name, method, path, answer) {
    const fields = Object.entries(answer).map(([field, value]) => `"${field}": ${value}`);
    const head = fields.some((field) => field.endsWith('helper')) ? 'from .services.helper import helper\n' : '';
    const handler = `async def handler(req, context):\n    return {"status": 200, "body": {${fields.join(', ')}}}\n`;
    return head + pythonConfig(name, method, path) + handler;
  },
  computing: (name, path, end) => `import os
${pythonConfig(name, 'GET', path)}
async def handler(req, context):
    while not os.path.exists("${end}"):
        pass
    return {"status": 200, "body": {}}
`,
  syntaxError: '\nbroken = {',
  importError: '\nraise RuntimeError("at import")\n',
};
