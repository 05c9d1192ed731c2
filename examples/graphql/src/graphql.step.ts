import { graphql } from 'graphql';
import type { ApiRouteConfig, StepHandler } from 'motia';
import { z } from 'zod';
import { resolvers, schema } from './books.ts';

export const config = {
  name: 'GraphQL',
  type: 'api',
  method: 'POST',
  path: '/graphql',
  emits: ['book.added'],
  bodySchema: z.object({
    query: z.string(),
    variables: z.record(z.string(), z.unknown()).nullish(),
    operationName: z.string().nullish(),
  }),
} as const satisfies ApiRouteConfig;

export const handler: StepHandler<typeof config> = async (req, ctx) => {
  const { query, variables, operationName } = req.body;
  const result = await graphql({
    schema,
    source: String(query),
    rootValue: resolvers,
    contextValue: ctx,
    variableValues: variables,
    operationName,
  });
  // A query that could not be run at all has no data; one of which a field failed has.
  return { status: result.data === undefined ? 400 : 200, body: result };
};
