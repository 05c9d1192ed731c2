/** A request that is being put together: what is in the fields, and the request that follows from it. Pure. */
import type { StepEntry } from '../../api/types.ts';
import { exampleOf } from './example.ts';

export interface Field {
  name: string;
  value: string;
  /** Whether it is sent. */
  isOn: boolean;
}

export type BodyKind = 'none' | 'json' | 'form' | 'text' | 'file';

export type Auth =
  | { kind: 'none' }
  | { kind: 'bearer'; token: string }
  | { kind: 'basic'; user: string; password: string };

export interface Draft {
  /** By the name of the path's variable; `*` for what a star stands for. */
  path: Record<string, string>;
  query: Field[];
  headers: Field[];
  bodyKind: BodyKind;
  /** Of the kinds `json` and `text`. */
  text: string;
  /** Of the kind `form`, besides files. */
  form: Field[];
}

/** Files live as long as the page: they are not kept with the draft. */
export interface Files {
  /** By the name of the form's field; the body itself is `body`. */
  [field: string]: File;
}

export interface RequestParts {
  method: string;
  /** Path and query. */
  url: string;
  headers: [name: string, value: string][];
  body: string | FormData | File | undefined;
}

const WITHOUT_BODY = new Set(['GET', 'DELETE', 'HEAD', 'OPTIONS']);
/** A variable with its own pattern and question mark, or a star. */
const VARIABLE = /:(\w+)(\([^)]*\))?(\?)?|\*/g;

export const hasBody = ({ method = 'GET' }: StepEntry): boolean => !WITHOUT_BODY.has(method);

export function variablesOf({ path = '' }: StepEntry): { name: string; isOptional: boolean }[] {
  return [...path.matchAll(VARIABLE)].map(([, name = '*', , mark]) => ({ name, isOptional: mark !== undefined }));
}

/** What one begins with: an example of all that the step says about itself. */
export function newDraft(step: StepEntry): Draft {
  const { bodySchema, queryParams = [] } = step;
  return {
    path: {},
    query: queryParams.map(({ name }) => ({ name, value: '', isOn: false })),
    headers: [],
    bodyKind: hasBody(step) ? 'json' : 'none',
    text: hasBody(step) ? JSON.stringify(bodySchema ? exampleOf(bodySchema) : {}, null, 2) : '',
    form: [],
  };
}

/** @param files by the name of their field. */
export function toRequest(step: StepEntry, draft: Draft, auth: Auth, files: Files = {}): RequestParts {
  const { method = 'GET', path = '/' } = step;
  const filled = path.replace(VARIABLE, (_whole, name: string | undefined) =>
    name === undefined ? (draft.path['*'] ?? '') : encodeURIComponent(draft.path[name] ?? ''),
  );
  const query = new URLSearchParams(draft.query.filter(isSent).map(({ name, value }) => [name, value]));
  const headers = draft.headers.filter(isSent).map(({ name, value }): [string, string] => [name.toLowerCase(), value]);
  const given = new Set(headers.map(([name]) => name));
  const type = contentTypeOf(draft.bodyKind, files);
  if (type !== undefined && !given.has('content-type')) headers.push(['content-type', type]);
  const authorization = authorizationOf(auth);
  if (authorization !== undefined && !given.has('authorization')) headers.push(['authorization', authorization]);
  const url = query.size > 0 ? `${filled}?${query}` : filled;
  return { method, url, headers, body: hasBody(step) ? bodyOf(draft, files) : undefined };
}

const isSent = ({ name, isOn }: Field): boolean => isOn && name.trim() !== '';

/** That of a form has a boundary, which the browser makes. */
function contentTypeOf(kind: BodyKind, { body }: Files): string | undefined {
  if (kind === 'json') return 'application/json';
  if (kind === 'text') return 'text/plain; charset=utf-8';
  return kind === 'file' ? body?.type || 'application/octet-stream' : undefined;
}

function authorizationOf(auth: Auth): string | undefined {
  if (auth.kind === 'bearer' && auth.token !== '') return `Bearer ${auth.token}`;
  if (auth.kind === 'basic') return `Basic ${btoa(`${auth.user}:${auth.password}`)}`;
  return undefined;
}

function bodyOf({ bodyKind, text, form }: Draft, files: Files): RequestParts['body'] {
  if (bodyKind === 'json' || bodyKind === 'text') return text === '' ? undefined : text;
  if (bodyKind === 'file') return files.body;
  if (bodyKind === 'none') return undefined;
  const data = new FormData();
  for (const { name, value } of form.filter(isSent)) {
    const file = files[name];
    if (file) data.append(name, file);
    else data.append(name, value);
  }
  return data;
}

/** The same request for a shell. @param origin of the app. */
export function toCurl({ method, url, headers, body }: RequestParts, origin: string): string {
  const parts = [
    `curl -X ${method} ${quote(origin + url)}`,
    ...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
  ];
  if (typeof body === 'string') parts.push(`--data-raw ${quote(body)}`);
  else if (body instanceof FormData) {
    for (const [name, value] of body) {
      parts.push(`-F ${quote(`${name}=${typeof value === 'string' ? value : `@${value.name}`}`)}`);
    }
  } else if (body) parts.push(`--data-binary ${quote(`@${body.name}`)}`);
  return parts.join(' \\\n  ');
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
