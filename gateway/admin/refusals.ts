/** What the admin API answers when it does not do what it was asked for. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, MotiaError, RevisionConflictError } from '../../shared/errors.ts';
import { type AdminAccess, type Caller, decideAccess } from './access.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who was let in to the admin API. */
    admin?: { actor: Caller; address: string | undefined };
  }
}

/** Paths below this are never those of steps. */
export const RESERVED = '/__motia/';

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNKNOWN_STEP: 404,
  NOT_FOUND: 404,
  INVALID_VALUE: 400,
  REVISION_CONFLICT: 409,
  PROJECT_INVALID: 409,
  NOT_REPLAYABLE: 409,
  STORE_FULL: 503,
  BROKER_LOST: 503,
  BROKER_TIMEOUT: 503,
};

/** Answers whoever may not use the admin API. @returns whether it was answered. */
export function refuseStranger(access: AdminAccess, request: FastifyRequest, reply: FastifyReply): boolean {
  reply.header('cache-control', 'no-store');
  const { method, headers, socket } = request;
  const decision = decideAccess(access, method, headers, socket.remoteAddress);
  if (typeof decision === 'string') {
    request.admin = { actor: decision, address: socket.remoteAddress };
    return false;
  }
  if (decision.status === 404) notFound(reply, request.url);
  else {
    if (decision.status === 401) reply.header('www-authenticate', 'Bearer');
    reply.code(decision.status).send({ error: decision.error });
  }
  return true;
}

/** Answers with an error of the catalogue. @throws any other one. */
export function refuseFor(error: unknown, reply: FastifyReply): void {
  const status = error instanceof MotiaError ? STATUS[error.code] : undefined;
  if (status === undefined) throw error;
  const known = error instanceof RevisionConflictError ? { revision: error.revision } : {};
  reply.code(status).send({ error: (error as MotiaError).message, ...known });
}

/** As for any other path that does not exist. */
export function notFound(reply: FastifyReply, url: string): FastifyReply {
  return reply.code(404).send({ error: 'Not found', path: url.split('?', 1)[0] });
}
