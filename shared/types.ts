/**
 * The words of the framework, and the contract that users program against.
 *
 * - **Step**: a file with a `config` and a `handler`.
 * - **Flow**: a label that groups steps for people.
 * - **Topic**: the name events are emitted to. **Event**: one emitted message.
 * - **Subscription**: one (topic, event step) pair. Each has its own copy of every event.
 * - **Run**: one execution of a handler. **Attempt**: the n-th run of the same event in a step that failed before.
 * - **Trace**: everything that one outside cause (request, tick) set off.
 * - **Group**: the first key of state and streams.
 * - **Stream**: a named realtime collection of items (the broker's own streams are "broker streams").
 * - **Dead letter**: an event whose attempts are used up.
 * - **Manifest**: the list of steps that gateway and scheduler read.
 */

export type * from './types/context.ts';
export type * from './types/http.ts';
export type * from './types/project-config.ts';
export type * from './types/state.ts';
export type * from './types/step-config.ts';
export type * from './types/step-handler.ts';
export type * from './types/streams.ts';
