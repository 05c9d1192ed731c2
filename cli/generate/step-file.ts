/** The text of a new step, in each language. Pure. */
import { quoted } from './schema-type.ts';

export const STEP_TYPES = ['api', 'event', 'cron', 'noop'] as const;
export const LANGUAGES = ['typescript', 'javascript', 'python'] as const;
export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What a new step is to be. */
export interface StepPlan {
  name: string;
  type: (typeof STEP_TYPES)[number];
  language: (typeof LANGUAGES)[number];
  description?: string | undefined;
  flows: string[];
  /** Of all but noop steps, where these are drawn only. */
  emits: string[];
  /** Of event steps; drawn only for noop steps. */
  subscribes: string[];
  /** Of API steps. */
  method?: string | undefined;
  path?: string | undefined;
  /** Of cron steps. */
  cron?: string | undefined;
}

/** The config of a step that is planned, as a handler's file has it. */
export function plannedConfig(plan: StepPlan): Record<string, string | string[]> {
  const { name, type, description, flows, emits, subscribes, method = '', path = '', cron = '' } = plan;
  const ofType: Record<StepPlan['type'], Record<string, string | string[]>> = {
    api: { method, path, emits },
    event: { subscribes, emits },
    cron: { cron, emits },
    noop: { virtualSubscribes: subscribes, virtualEmits: emits },
  };
  return {
    name,
    type,
    ...(description ? { description } : {}),
    ...ofType[type],
    ...(flows.length > 0 ? { flows } : {}),
  };
}

/** The name of its file: by it the step is found. */
export function stepFileName({ name, language }: Pick<StepPlan, 'name' | 'language'>): string {
  const words = name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
  if (language === 'python') return `${[...words, 'step'].join('_')}.py`;
  return `${words.join('-') || 'new'}.step.${language === 'typescript' ? 'ts' : 'js'}`;
}

export function stepText(plan: StepPlan): string {
  if (plan.language === 'python') return pythonText(plan);
  return plan.language === 'typescript' ? typescriptText(plan) : javascriptText(plan);
}

const CONFIG_TYPES = { api: 'ApiRouteConfig', event: 'EventConfig', cron: 'CronConfig', noop: 'NoopConfig' } as const;

function typescriptText(plan: StepPlan): string {
  const type = CONFIG_TYPES[plan.type];
  const imported = {
    api: `ApiRequest, ${type}, FlowContext`,
    event: `${type}, FlowContext`,
    cron: `${type}, FlowContext`,
    noop: type,
  }[plan.type];
  const types = { request: ': ApiRequest', input: ': unknown', context: ': FlowContext' };
  return `import type { ${imported} } from 'motia';\n\nexport const config: ${type} = ${object(plan)};\n${scriptHandler(plan, types)}`;
}

function javascriptText(plan: StepPlan): string {
  const types = { request: '', input: '', context: '' };
  const comment = `/** @type {import('motia').${CONFIG_TYPES[plan.type]}} */`;
  return `${comment}\nexport const config = ${object(plan)};\n${scriptHandler(plan, types)}`;
}

function object(plan: StepPlan): string {
  const lines = Object.entries(plannedConfig(plan)).map(([key, value]) => {
    const text = Array.isArray(value) ? `[${value.map(quoted).join(', ')}]` : quoted(value);
    return `  ${key}: ${text},\n`;
  });
  return `{\n${lines.join('')}}`;
}

function scriptHandler(
  { type, name, emits }: StepPlan,
  types: Record<'request' | 'input' | 'context', string>,
): string {
  if (type === 'noop') return '';
  const context = `{ ${emits.length > 0 ? 'emit, ' : ''}logger }${types.context}`;
  const emitted = emits.map((topic) => `  await emit({ topic: ${quoted(topic)}, data: {} });\n`).join('');
  const [parameters, said, answer] = {
    api: [`req${types.request}, ${context}`, '{ body: req.body }', `  return { status: 200, body: { ok: true } };\n`],
    event: [`input${types.input}, ${context}`, '{ input }', ''],
    cron: [context, undefined, ''],
  }[type];
  const logged = `  logger.info(${[quoted(`${name} runs`), ...(said ? [said] : [])].join(', ')});\n`;
  return `\nexport const handler = async (${parameters}) => {\n${logged}${emitted}${answer}};\n`;
}

/** What JSON calls a text is one in Python, too. */
const text = (value: string) => JSON.stringify(value);

function pythonText(plan: StepPlan): string {
  const { type, name, emits } = plan;
  const lines = Object.entries(plannedConfig(plan)).map(
    ([key, value]) => `    ${text(key)}: ${Array.isArray(value) ? `[${value.map(text).join(', ')}]` : text(value)},\n`,
  );
  const config = `config = {\n${lines.join('')}}\n`;
  if (type === 'noop') return config;
  const emitted = emits.map((topic) => `    await context.emit({"topic": ${text(topic)}, "data": {}})\n`).join('');
  const [parameters, said, answer] = {
    api: ['req, context', ', {"body": req["body"]}', '    return {"status": 200, "body": {"ok": True}}\n'],
    event: ['input, context', ', {"input": input}', ''],
    cron: ['context', '', ''],
  }[type];
  const logged = `    context.logger.info(${text(`${name} runs`)}${said})\n`;
  return `${config}\n\nasync def handler(${parameters}):\n${logged}${emitted}${answer}`;
}
