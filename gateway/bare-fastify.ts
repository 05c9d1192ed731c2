/** fastify without what no server of ours uses. */
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type pino from 'pino';

/** No route has a schema, so compilers of schemas are never asked for: fastify's own take 50 ms to load. */
const noCompiler = () => {
  throw new Error('No route has a schema');
};

export function createBareFastify(log: pino.Logger, options: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify({
    ...options,
    logger: false,
    routerOptions: { maxParamLength: 16_384 },
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
  });
  // Bodies are left as they come: whoever wants one reads it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  app.setErrorHandler((error, request, reply) => answerFailure(log, error, request, reply));
  return app;
}

/** Says no more than that it failed; the log says why. */
export function answerFailure(log: pino.Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  log.error({ action: 'gateway_error', err: error, url: request.url }, 'The gateway failed to answer a request');
  void reply.code(500).send({ error: 'Internal server error' });
}
