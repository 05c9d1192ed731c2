/** The API steps of a project as an OpenAPI 3.1 document. Pure. */
import type { JsonSchema } from '../types.ts';
import type { StepEntry } from './manifest.ts';

export interface OpenApiInfo {
  title: string;
  version: string;
}

interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags?: string[];
  parameters?: object[];
  requestBody?: object;
  responses: Record<string, object>;
}

const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** @param steps of all kinds; those that answer no HTTP are left out. */
export function openApi(info: OpenApiInfo, steps: readonly StepEntry[]): object {
  const paths: Record<string, Record<string, Operation>> = {};
  const schemas = new Definitions();
  for (const step of steps) {
    if (step.type !== 'api' || step.path === undefined || step.method === undefined) continue;
    for (const { path, names } of openApiPaths(step.path)) {
      paths[path] ??= {};
      paths[path][step.method.toLowerCase()] ??= operation(step, names, schemas);
    }
  }
  return {
    openapi: '3.1.0',
    info,
    paths,
    ...(schemas.size > 0 && { components: { schemas: schemas.all } }),
  };
}

function operation(step: StepEntry, pathNames: readonly string[], schemas: Definitions): Operation {
  const { bodySchema, responseSchema = {}, queryParams = [], flows, description, method = '' } = step;
  const path = pathNames.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const query = queryParams.map(({ name, description }) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  const requestBody =
    bodySchema !== undefined && !BODILESS.has(method)
      ? { required: true, content: json(schemas.lift(step.id, bodySchema)) }
      : undefined;
  const responses = Object.entries(responseSchema).map(([status, schema]): [string, object] => [
    /^[1-5]\d\d$/.test(status) ? status : 'default',
    { description: `Status ${status}`, content: json(schemas.lift(step.id, schema)) },
  ]);
  return {
    operationId: step.id,
    summary: step.name,
    ...(description !== undefined && { description }),
    ...(flows.length > 0 && { tags: flows }),
    ...(path.length + query.length > 0 && { parameters: [...path, ...query] }),
    ...(requestBody && { requestBody }),
    responses: responses.length > 0 ? Object.fromEntries(responses) : { default: { description: 'An answer' } },
  };
}

const json = (schema: JsonSchema) => ({ 'application/json': { schema } });

/**
 * A path of a step in the form `/orders/{id}`. A parameter that may be absent (`:id?`) makes two paths of it, since OpenAPI has
 * none such; what else its pattern says about a parameter cannot be said there.
 */
export function openApiPaths(pattern: string): { path: string; names: string[] }[] {
  let forms = [{ path: '', names: [] as string[] }];
  let wildcards = 0;
  for (const segment of pattern.split('/').slice(1)) {
    const names: string[] = [];
    const text = segment.replace(/:(\w+)(\([^)]*\))?[?*+]?|\*/g, (_, name: string | undefined) => {
      const shown = name ?? `wildcard${wildcards++ || ''}`;
      names.push(shown);
      return `{${shown}}`;
    });
    const longer = forms.map((form) => ({ path: `${form.path}/${text}`, names: [...form.names, ...names] }));
    forms = /^:\w+(\([^)]*\))?[?*]$/.test(segment) ? [...longer, ...forms] : longer;
  }
  return forms.map(({ path, names }) => ({ path: path || '/', names }));
}

/** What schemas define by name, for all of the document: `#/$defs/…` inside a schema means something else in OpenAPI. */
class Definitions {
  readonly all: Record<string, JsonSchema> = {};
  /** What each name stands for. */
  readonly #meanings = new Map<string, string>();

  get size(): number {
    return Object.keys(this.all).length;
  }

  /** The schema with its definitions moved out, each under a name of its own. */
  lift(owner: string, schema: JsonSchema): JsonSchema {
    const { $defs, definitions, $schema: _, ...rest } = schema;
    const own = { ...(definitions as object), ...($defs as object) } as Record<string, JsonSchema>;
    const names = new Map(Object.keys(own).map((name) => [name, this.#nameFor(owner, name, own)]));
    const refer = (part: unknown): unknown => {
      if (Array.isArray(part)) return part.map(refer);
      if (typeof part !== 'object' || part === null) return part;
      return Object.fromEntries(
        Object.entries(part).map(([key, value]) => {
          const [, name] = key === '$ref' ? (/^#\/(?:\$defs|definitions)\/(.+)$/.exec(String(value)) ?? []) : [];
          return [key, name === undefined ? refer(value) : `#/components/schemas/${names.get(name) ?? name}`];
        }),
      );
    };
    for (const [name, definition] of Object.entries(own)) {
      this.all[names.get(name) as string] = refer(definition) as JsonSchema;
    }
    return refer(rest) as JsonSchema;
  }

  /** Its own, unless another schema has taken that for something else. */
  #nameFor(owner: string, name: string, definitions: object): string {
    const meaning = JSON.stringify([name, definitions]); // what it refers to included
    const own = plain(name);
    for (let n = 0; ; n++) {
      const candidate = n === 0 ? own : `${plain(owner)}.${own}${n > 1 ? n : ''}`;
      const taken = this.#meanings.get(candidate) ?? meaning;
      if (taken !== meaning) continue;
      this.#meanings.set(candidate, meaning);
      return candidate;
    }
  }
}

/** Names of components have no other characters. */
const plain = (name: string) => name.replace(/[^\w.-]+/g, '_');
