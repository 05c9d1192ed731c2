/** What was sent and answered, as spans bear it: text up to a limit, without secrets. */
import { isUtf8 } from 'node:buffer';
import type { TelemetryEnvironment } from './config.ts';
import { isJsonObject } from './json-values.ts';
import { REDACTED, Redaction } from './redaction.ts';
import type { TelemetrySettings } from './steps/telemetry-settings.ts';

/** A body or payload. */
export interface PayloadRecord {
  /** Media type without parameters; empty when it was not told. */
  contentType: string;
  /** Up to {@link LONGEST_TEXT} characters; absent for what is no text, or too large to be looked through for secrets. */
  text?: string;
  /** How large it was. */
  bytes: number;
  /** Not all of it is here. */
  truncated?: true;
  /** Secrets in it are replaced. */
  redacted?: true;
}

/** A request, with its body. Headers that are secrets are replaced. */
export interface RequestRecord extends PayloadRecord {
  method: string;
  path: string;
  /** What follows `?`, as it was sent. */
  query: string;
  headers: Record<string, string>;
}

/** An answer, with its body. One that was streamed is without. */
export interface ResponseRecord extends PayloadRecord {
  status: number;
  headers: Record<string, string>;
}

/** Of a request or an answer. */
interface Content {
  headers: Iterable<readonly [name: string, value: unknown]>;
  /** `undefined` for one that is not known. */
  body: Uint8Array | undefined;
}

const LONGEST_TEXT = 16_384;
/** More is not looked through. */
const MOST_BYTES = 1024 ** 2;
const DEEPEST = 200;
const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const TEXT = /^(text\/.*|application\/(xml|.*\+xml|graphql|javascript))$/;

export const isJsonType = (contentType: string): boolean => /^application\/(.*\+)?json$/.test(contentType);

export class Payloads {
  readonly #redaction: Redaction;

  constructor(redaction: Redaction) {
    this.#redaction = redaction;
  }

  /** @param text JSON */
  json(text: string): PayloadRecord {
    return this.#record(JSON_TYPE, Buffer.byteLength(text), () => text);
  }

  /** @param url as it was sent: path and query. */
  request({ method, url, ...content }: Content & { method: string; url: string }): RequestRecord {
    const at = url.indexOf('?');
    const [path, sent] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
    const query = this.#form(sent);
    const told = this.#content(content);
    return { method, path, query, ...told, ...(query !== sent && { redacted: true as const }) };
  }

  response({ status, ...content }: Content & { status: number }): ResponseRecord {
    return { status, ...this.#content(content) };
  }

  #content({ headers: sent, body }: Content): PayloadRecord & { headers: Record<string, string> } {
    const headers: Record<string, string> = {};
    for (const [name, value] of sent) {
      const told = this.#redaction.hides(name, []) ? REDACTED : String(value);
      headers[name] = name in headers ? `${headers[name]}, ${told}` : told;
    }
    const contentType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (body === undefined) return { headers, contentType, bytes: 0, truncated: true };
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    return {
      headers,
      ...this.#record(contentType, bytes.length, () => (isUtf8(bytes) ? bytes.toString() : undefined)),
    };
  }

  #record(contentType: string, bytes: number, read: () => string | undefined): PayloadRecord {
    if (bytes === 0) return { contentType, bytes, text: '' };
    const whole = bytes <= MOST_BYTES && isKept(contentType) ? read() : undefined;
    const told = whole === undefined ? undefined : this.#withoutSecrets(contentType, whole);
    if (told === undefined) return { contentType, bytes, truncated: true };
    return {
      ...{ contentType, bytes, text: told.slice(0, LONGEST_TEXT) },
      ...(told.length > LONGEST_TEXT && { truncated: true as const }),
      ...(told !== whole && { redacted: true as const }),
    };
  }

  /** @returns the very text if there are none; `undefined` if that cannot be known. */
  #withoutSecrets(contentType: string, text: string): string | undefined {
    if (contentType === FORM) return this.#form(text);
    if (!isJsonType(contentType)) return text;
    try {
      const value: unknown = JSON.parse(text);
      return this.#hide(value, []) ? JSON.stringify(value) : text;
    } catch {
      return undefined;
    }
  }

  /** @returns the very text if there are no secrets in it. */
  #form(text: string): string {
    let hidden = false;
    const pairs = text.split('&').map((pair) => {
      const [name = ''] = pair.split('=', 1);
      if (!this.#redaction.hides(decoded(name), [])) return pair;
      hidden = true;
      return `${name}=${REDACTED}`;
    });
    return hidden ? pairs.join('&') : text;
  }

  /** Replaces secrets in a value that nobody else has. @returns whether there were any. */
  #hide(value: unknown, around: string[]): boolean {
    if (around.length > DEEPEST) throw new Error('it is too deep');
    if (!Array.isArray(value) && !isJsonObject(value)) return false;
    let hidden = false;
    const fields = value as Record<string, unknown>;
    for (const key of Object.keys(fields)) {
      if (this.#redaction.hides(key, around)) {
        fields[key] = REDACTED;
        hidden = true;
        continue;
      }
      around.push(key);
      if (this.#hide(fields[key], around)) hidden = true;
      around.pop();
    }
    return hidden;
  }
}

/** @returns nothing where payloads are not kept. */
export function createPayloads(
  { payloads, redact }: Pick<TelemetrySettings, 'payloads' | 'redact'> = {},
  environment: TelemetryEnvironment,
): Payloads | undefined {
  const isOn = environment.stored && !environment.disabled && (payloads ?? environment.payloads);
  return isOn ? new Payloads(new Redaction(redact)) : undefined;
}

const isKept = (contentType: string) => isJsonType(contentType) || contentType === FORM || TEXT.test(contentType);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
