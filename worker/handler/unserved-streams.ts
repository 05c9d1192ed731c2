/** The place of realtime streams in the context, until they are served. */
import { MotiaError } from '../../shared/errors.ts';
import type { FlowContextStateStreams } from '../../shared/types.ts';

/** Any stream by any name; every operation is refused with the reason. */
export const unservedStreams = new Proxy(
  {},
  {
    get: (_, name) =>
      typeof name === 'symbol'
        ? undefined
        : new Proxy(
            {},
            {
              get: (_stream, operation) => () =>
                Promise.reject(
                  new MotiaError(
                    'NOT_SUPPORTED',
                    `streams.${name}.${String(operation)}(): realtime streams are not served yet`,
                  ),
                ),
            },
          ),
  },
) as FlowContextStateStreams;
