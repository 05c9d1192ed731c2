/** Runs a handler inside its middleware. */

type Run<Request, Context, Response> = (req: Request, ctx: Context) => Promise<Response>;
type Handler<Request, Context, Response> = (req: Request, ctx: Context) => Promise<Response> | Response;
type Middleware<Request, Context, Response> = (
  req: Request,
  ctx: Context,
  next: () => Promise<Response>,
) => Promise<Response | undefined> | Response | undefined;

/**
 * The first middleware is the outermost. One that returns without calling `next` answers for the handler; one that
 * returns nothing, or calls `next` twice, fails the run.
 */
export function composeMiddleware<Request, Context, Response>(
  middlewares: readonly Middleware<Request, Context, Response>[],
  handler: Handler<Request, Context, Response>,
): Run<Request, Context, Response> {
  return middlewares.reduceRight<Run<Request, Context, Response>>(
    (inner, middleware) => async (req, ctx) => {
      let called = false;
      const response = await middleware(req, ctx, async () => {
        if (called) throw new Error('A middleware called next() more than once.');
        called = true;
        return inner(req, ctx);
      });
      if (response === undefined) throw new Error('A middleware returned no response: return the one of next().');
      return response;
    },
    async (req, ctx) => handler(req, ctx),
  );
}
