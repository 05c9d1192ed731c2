/** The text of `types.d.ts`: what a project's handlers get and may do, from the schemas of its steps and streams. Pure. */
import type { StepEntry, StreamEntry } from '../../shared/steps/manifest.ts';
import type { JsonSchema } from '../../shared/types.ts';
import type { DescribedProject } from './project.ts';
import { quoted, schemaType } from './schema-type.ts';

/** What the types are made of. */
export interface TypedProject extends Pick<DescribedProject, 'steps' | 'streams'> {
  /** What `streamAuth` finds out about a client. */
  authContext?: JsonSchema | undefined;
}

const BANNER = `/**
 * Types of this project's steps and streams, written by \`motia generate-types\` and \`motia dev\`.
 * Changes are lost: formatters and linters had better leave this file alone.
 */`;

export function projectTypes({ steps, streams, authContext }: TypedProject): string {
  const handlers = steps.flatMap((step) => {
    const type = handlerType(step, steps);
    return type === undefined ? [] : [`    ${quoted(step.name)}: ${type};`];
  });
  const items = streams.map((stream) => `    ${quoted(stream.name)}: MotiaStream<${itemType(stream)}>;`);
  return `${BANNER}
import type { ApiResponse, ApiRouteHandler, CronHandler, EmitData, EventHandler, MotiaStream } from 'motia';

declare module 'motia' {
  interface FlowContextStateStreams {
${items.join('\n')}
  }

  interface Handlers {
${handlers.join('\n')}
  }
${authContextType(authContext)}}
`.replaceAll('{\n\n', '{\n');
}

/** An interface has members and nothing else, so a context that is no plain object stays untyped. */
function authContextType(schema: JsonSchema | undefined): string {
  const isPlain = schema?.type === 'object' && typeof schema.additionalProperties !== 'object';
  const type = isPlain ? schemaType(schema) : '';
  return type.startsWith('{') ? `\n  interface StreamAuthContext ${type}\n` : '';
}

function handlerType(step: StepEntry, steps: readonly StepEntry[]): string | undefined {
  const emits = emitsType(step, steps);
  switch (step.type) {
    case 'api': {
      const body = step.bodySchema === undefined ? 'Record<string, unknown>' : schemaType(step.bodySchema);
      return `ApiRouteHandler<${body}, ${responseType(step)}, ${emits}>`;
    }
    case 'event':
      // Without a schema whatever the handler expects is right: `never` can be passed to any parameter.
      return `EventHandler<${step.inputSchema === undefined ? 'never' : schemaType(step.inputSchema)}, ${emits}>`;
    case 'cron':
      return `CronHandler<${emits}>`;
    case 'noop':
      return undefined;
  }
}

function responseType({ responseSchema = {} }: StepEntry): string {
  const responses = Object.entries(responseSchema).map(([status, schema]) =>
    /^\d+$/.test(status)
      ? `ApiResponse<${status}, ${schemaType(schema)}>`
      : `ApiResponse<number, ${schemaType(schema)}>`,
  );
  return responses.length === 0 ? 'ApiResponse' : responses.join(' | ');
}

/** What may be emitted: for each topic what all of its subscribers take. */
function emitsType(step: StepEntry, steps: readonly StepEntry[]): string {
  const topics = [...new Set(step.emits.map(({ topic }) => topic))];
  const types = topics.map((topic) => {
    const subscribers = steps.filter(({ subscribes }) => subscribes?.includes(topic));
    const inputs = subscribers.flatMap(({ inputSchema }) =>
      inputSchema === undefined ? [] : [schemaType(inputSchema)],
    );
    const emit = `EmitData<${quoted(topic)}, ${allOf(inputs)}>`;
    const ordered = subscribers.some(({ infrastructure }) => infrastructure?.queue?.type === 'fifo');
    return ordered ? `(${emit} & { messageGroupId: string })` : emit;
  });
  return types.length === 0 ? 'never' : types.join(' | ');
}

function allOf(types: string[]): string {
  const unique = [...new Set(types)].filter((type) => type !== 'unknown');
  if (unique.length < 2) return unique[0] ?? 'unknown';
  return unique.map((type) => (type.includes(' | ') ? `(${type})` : type)).join(' & ');
}

const itemType = ({ schema }: StreamEntry) => schemaType(schema);
