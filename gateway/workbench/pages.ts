/** Serves the Workbench: a page and its assets, which hold no data. What it shows comes from the admin API. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RequestHandler } from 'sirv';
import { notFound, RESERVED } from '../admin/refusals.ts';
import type { OwnRoute } from '../step-route.ts';

/** Every path of the Workbench begins with this. */
const BASE = `${RESERVED}ui/`;
/** Their names change with their contents. */
const ASSETS = '/assets/';
const YEAR_S = 31_536_000;
const NOT_BUILT = 'The Workbench has not been built. In a clone of Motia: npm run build\n';

/** Editors and graphs set styles from scripts, as elements; scripts come from here alone. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** @param folder of the built Workbench; `undefined` when there is to be none. */
export function mountWorkbench(app: FastifyInstance, folder: string | undefined): void {
  if (folder === undefined) return;
  let files: RequestHandler | undefined;
  const open = async () => {
    if (!files && existsSync(join(folder, 'index.html'))) files = await openFiles(folder);
    return files;
  };
  app.get(BASE.slice(0, -1), (_request, reply) => reply.redirect(BASE));
  app.get(`${BASE}*`, async (request, reply) => {
    const serve = await open();
    if (!serve) return reply.code(503).headers(HEADERS).type('text/plain; charset=utf-8').send(NOT_BUILT);
    const path = request.url.slice(BASE.length - 1);
    if (isServed(serve, request, reply, path)) return reply;
    const isPage = !path.startsWith(ASSETS) && wantsPage(request);
    return isPage && pagesFor(path).some((page) => isServed(serve, request, reply, page))
      ? reply
      : notFound(reply, request.url);
  });
}

/** Who opens the app in a browser sees the Workbench, where no step has that path. */
export const showWorkbench =
  (isOn: boolean) =>
  (method: string, path: string, request: FastifyRequest): OwnRoute | undefined => {
    if (!isOn || path !== '/' || (method !== 'GET' && method !== 'HEAD') || !wantsPage(request)) return undefined;
    return async (_request, reply) => void reply.header('vary', 'accept').redirect(BASE);
  };

/**
 * The page finds out itself what a path of its own means. That of a screen is the same as any other, but has the browser load what the screen needs
 * with it.
 */
const pagesFor = (path: string): string[] => [`/${/^\/([\w-]+)/.exec(path)?.[1]}.html`, '/'];

const wantsPage = ({ headers: { accept = '' } }: FastifyRequest): boolean => accept.includes('text/html');

async function openFiles(folder: string): Promise<RequestHandler> {
  const { default: sirv } = await import('sirv'); // most gateways are never asked
  return sirv(folder, {
    brotli: true,
    gzip: true,
    etag: true,
    setHeaders(response, path) {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      const cache = path.startsWith(ASSETS) ? `public, max-age=${YEAR_S}, immutable` : 'no-cache';
      response.setHeader('cache-control', cache);
    },
  });
}

/** @returns whether there is such a file; then it is being sent. */
function isServed(serve: RequestHandler, { raw }: FastifyRequest, reply: FastifyReply, path: string): boolean {
  let found = true;
  raw.url = path;
  serve(raw, reply.raw, () => {
    found = false;
  });
  if (found) reply.hijack();
  return found;
}
