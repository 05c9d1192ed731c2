/** Message headers of the wire protocol (`docs/protocol.md`). Names are case-sensitive on the broker. */
export const Header = {
  /** Major version of the protocol; absent means 1. A message with a higher one is handed back and reported. */
  protocol: 'Motia-Protocol',
  /** Topic of a dead letter or a waiting retry, percent-encoded. Of an event the subject says it. */
  topic: 'Motia-Topic',
  /** Identity of an event; the same in all its attempts and copies. */
  eventId: 'Motia-Event-Id',
  /** Number of the attempt this message asks for; absent means 1. */
  attempt: 'Motia-Attempt',
  /** When the event was emitted, in ms since 1970, from its first retry on. */
  emittedAt: 'Motia-Emitted-At',
  /** Of a booking: when it is to be delivered, in ms since 1970. */
  deliverAt: 'Motia-Deliver-At',
  /** Message group, percent-encoded. */
  group: 'Motia-Group',
  /** Object-store name of a payload above the broker's message limit. The body is empty then. */
  blob: 'Motia-Blob',
  /** Of a stream's item: `create` or `update`, whichever this entry was to it. */
  change: 'Motia-Change',
  /** Of a stored value: when it goes, in ms since 1970. */
  expires: 'Motia-Expires',
  /** Of an entry whose key does not say them: the names that it was made of, percent-encoded, with `/` between them. */
  names: 'Motia-Names',
  /** Of a kept answer: fingerprint of the request that it answers. */
  request: 'Motia-Request',
  /** W3C trace context. */
  traceparent: 'traceparent',
  /** The broker's own deduplication key. */
  messageId: 'Nats-Msg-Id',
  /** Of a dead letter that was retried: the sequence that it had among the dead letters. */
  retriedFrom: 'Motia-Retried-From',
  /** Of the same: `traceparent` of the emit. The other one is that of the retry. */
  link: 'Motia-Link',
  /** Error record of a dead letter, percent-encoded. */
  error: 'Motia-Error',
  /** Of a dead letter: the step that it died in. Of an event: the only step that is to run it. Percent-encoded. */
  step: 'Motia-Step',
  /** Of a dead letter that was restored from a backup: when it died, in ms since 1970. */
  diedAt: 'Motia-Died-At',
  /** The time that a tick stands for, in ms since 1970. */
  tick: 'Motia-Tick',
  /** `manual` for a run that a person asked for; absent for a tick of the schedule. */
  trigger: 'Motia-Trigger',
  /** Of stored telemetry: the process that tells it, and how many records it has dropped since it last said so. */
  node: 'Motia-Node',
  dropped: 'Motia-Dropped',
} as const;

/** Major version this code speaks. */
export const PROTOCOL_VERSION = 1;
