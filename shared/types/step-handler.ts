/** The handler that belongs to a config, as far as its schemas say, without anything generated. */
import type { CronHandler, EmitData, EventHandler } from './context.ts';
import type { ApiResponse, ApiRouteHandler } from './http.ts';

/**
 * The handler of a step, by the type of its config: `StepHandler<typeof config>`. Zod schemas give body, input and responses their types,
 * and `emits` the topics. The config has to keep its literals: write `as const satisfies ApiRouteConfig` after it. What is emitted is not
 * checked against who subscribes; `Handlers['StepName']` of a generated `types.d.ts` does that as well.
 */
export type StepHandler<Config> = Config extends { type: 'api' }
  ? ApiRouteHandler<OutputOf<Config, 'bodySchema'>, ResponsesOf<Config>, EmitsOf<Config>>
  : Config extends { type: 'event' }
    ? EventHandler<OutputOf<Config, 'input'>, EmitsOf<Config>>
    : Config extends { type: 'cron' }
      ? CronHandler<EmitsOf<Config>>
      : never;

/** Named by what zod 3 and zod 4 have in common. */
type Parsed<Schema> = Schema extends { parse(value: never): infer Output } ? Output : unknown;

type OutputOf<Config, Key extends string> = Config extends { [key in Key]: infer Schema } ? Parsed<Schema> : unknown;

type ResponsesOf<Config> = Config extends { responseSchema: infer Schemas extends Readonly<Record<number, unknown>> }
  ? { [Status in keyof Schemas & number]: ApiResponse<Status, Parsed<Schemas[Status]>> }[keyof Schemas & number]
  : ApiResponse;

/** Each topic by itself, so that the union tells them apart. `emits: []` allows none. */
type EmitsOf<Config> = Config extends { emits: readonly (infer Declared)[] } ? EmitOf<Declared> : EmitData;
type EmitOf<Declared> = Declared extends string
  ? EmitData<Declared>
  : Declared extends { topic: infer Topic extends string }
    ? EmitData<Topic>
    : never;
