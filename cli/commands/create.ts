/** `motia create`: a new project, ready to run. */
import { mkdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { readEnvironment } from '../../shared/config.ts';
import { CliError, EXIT } from '../cli-error.ts';
import {
  installPackages,
  packageManagerOf,
  requireFramework,
  writeManagerSettings,
} from '../create/package-manager.ts';
import { DEFAULT_TEMPLATE, ruleFiles, TEMPLATES, type Template, templateFiles } from '../create/templates.ts';
import { existingFiles, writeFiles } from '../create/write-files.ts';
import type { Flags } from '../options.ts';
import { asks } from '../terminal.ts';

/** Also a valid name of a package. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9-_]*$/;
const MOST_NAMED = 5;

export async function create(flags: Flags): Promise<number> {
  const template = findTemplate(await chosenTemplate(flags));
  const name = await chosenName(flags);
  const root = resolve(name);
  const projectName = packageName(name === '.' ? basename(root) : name);
  const files = new Map([...templateFiles(template.name), ...(flags.cursor ? ruleFiles() : [])]);
  const inTheWay = existingFiles(root, files.keys());
  if (inTheWay.length > 0) {
    const more = inTheWay.length > MOST_NAMED ? ` and ${inTheWay.length - MOST_NAMED} more` : '';
    throw new CliError(`${root} has ${inTheWay.slice(0, MOST_NAMED).join(', ')}${more} already: nothing was written`);
  }

  mkdirSync(root, { recursive: true });
  writeFiles(root, files);
  const { userAgent } = readEnvironment();
  const manager = packageManagerOf(userAgent);
  writeManagerSettings(root, userAgent);
  console.log(`Created ${projectName} from the template ${template.name} in ${root}`);
  await requireFramework(root, projectName, flags.motia && frameworkSpec(flags.motia, root));
  if (flags.install !== false) {
    console.log(`Installing packages with ${manager} …`);
    await installPackages(root, manager);
  }
  const steps = [
    ...(name === '.' ? [] : [`cd ${name}`]),
    ...(flags.install === false ? [`${manager} install`] : []),
    `${manager} run dev`,
  ];
  console.log(`\nNext:\n${steps.map((step) => `  ${step}`).join('\n')}`);
  console.log(`and then open http://localhost:3000${template.tryPath}`);
  return 0;
}

async function chosenTemplate({ template, interactive }: Flags): Promise<string> {
  if (template !== undefined) return template;
  return asks(interactive) ? (await import('../create/questions.ts')).askTemplate() : DEFAULT_TEMPLATE;
}

/** The folder of the project: a name, or `.`. */
async function chosenName({ name, interactive }: Flags): Promise<string> {
  if (name !== undefined) {
    const wrong = name === '.' ? undefined : checkName(name);
    if (wrong !== undefined) throw new CliError(wrong, EXIT.usage);
    return name;
  }
  if (asks(interactive)) return (await import('../create/questions.ts')).askName(checkName);
  throw new CliError('Which name? motia create <name>, or motia create . for this folder', EXIT.usage);
}

function checkName(name: string): string | undefined {
  return NAME.test(name) ? undefined : `"${name}" is no name: letters, digits, - and _, and none of the last two first`;
}

function findTemplate(name: string): Template {
  const template = TEMPLATES.find((template) => template.name === name);
  if (template) return template;
  throw new CliError(`There is no template "${name}". There are: ${TEMPLATES.map(({ name }) => name).join(', ')}`);
}

/** Names of packages have no capitals; a folder's may have anything. */
function packageName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9-_]+/g, '-')
      .replace(/^[-_]+/, '') || 'app'
  );
}

/** A path is given as seen from here, and written as seen from the project. */
function frameworkSpec(given: string, root: string): string {
  if (!/^(\.|\/|file:)|\.tgz$/.test(given)) return given;
  const path = relative(root, resolve(given.replace(/^file:/, '')));
  return `file:${join('.', path).replaceAll('\\', '/')}`;
}
