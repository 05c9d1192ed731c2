/** The streams of this project, for `context.streams`. */
import type { MotiaStream } from 'motia';
import type { Message } from './message.stream.ts';

declare module 'motia' {
  interface FlowContextStateStreams {
    message: MotiaStream<Message>;
  }
}
