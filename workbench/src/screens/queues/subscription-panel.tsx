/** One subscription: what waits, who works on it, how it is set up, and what to do about it. */
import { Activity, Inbox, Pause, Play, Send, Skull } from 'lucide-react';
import { useSteps } from '../../api/hooks.ts';
import type { QueueStatus, StepEntry } from '../../api/types.ts';
import { toPart } from '../../lib/path-part.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Buttons } from '../../ui/fields.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Empty } from '../../ui/states.tsx';
import { Time } from '../../ui/text.tsx';
import styles from './queues.module.css';

interface Props {
  /** Absent when there is no such subscription. */
  queue: QueueStatus | undefined;
  onPause: (queue: QueueStatus) => void;
  onClose: () => void;
}

export function SubscriptionPanel({ queue, onPause, onClose }: Props) {
  const { steps = [] } = useSteps().data ?? {};
  if (!queue) {
    return (
      <Panel title="Subscription" label="Subscription" onClose={onClose}>
        <Empty icon={Inbox} title="There is no such subscription">
          <p>The step may have been renamed, or may not subscribe to that topic any more.</p>
        </Empty>
      </Panel>
    );
  }
  const { step, topic, paused, dead } = queue;
  const entry = steps.find(({ id }) => id === step);
  return (
    <Panel
      label={`${step}, ${topic}`}
      title={
        <>
          {step}
          <code className={styles.quiet}>{topic}</code>
          {paused && <Badge tone="warn">paused</Badge>}
        </>
      }
      actions={
        <Button icon={paused ? Play : Pause} onClick={() => onPause(queue)}>
          {paused ? 'Resume' : 'Pause'}
        </Button>
      }
      onClose={onClose}
    >
      <Section title="Why is it waiting?">
        <p className={styles.why} data-calm={queue.why === undefined || undefined}>
          {reasonOf(queue)}
        </p>
      </Section>
      <Section title="Events">
        <Facts facts={countsOf(queue)} />
        <Workers queue={queue} />
      </Section>
      {entry && (
        <Section title="How it is set up">
          <Facts facts={settingsOf(entry)} />
        </Section>
      )}
      <Section title="Go on">
        <Buttons>
          <ButtonLink icon={Activity} href={`/traces?step=${encodeURIComponent(step)}`}>
            Traces of the step
          </ButtonLink>
          {dead > 0 && (
            <ButtonLink icon={Skull} href={`/queues/dead-letters?step=${encodeURIComponent(step)}`}>
              Its {dead} dead {dead === 1 ? 'letter' : 'letters'}
            </ButtonLink>
          )}
          <ButtonLink icon={Send} href={`/queues/emit/${toPart(topic)}`}>
            Emit to this topic
          </ButtonLink>
        </Buttons>
      </Section>
    </Panel>
  );
}

/** In a sentence. */
function reasonOf({ why, waiting, inFlight, later, scheduled, paused }: QueueStatus): string {
  if (why !== undefined) return `${why.slice(0, 1).toUpperCase()}${why.slice(1)}.`;
  if (inFlight > 0) return 'Nothing waits: all events are with workers.';
  if (later + scheduled > 0) return 'Nothing waits for a worker, only for its time.';
  if (waiting === 0) return paused ? 'Nothing waits. It is paused: what comes will.' : 'Nothing waits.';
  return 'A worker is about to take the next one.';
}

function countsOf({ waiting, inFlight, later, scheduled, scheduledCut, oldest, dead }: QueueStatus) {
  return [
    ['Waiting', `${waiting.toLocaleString()} for a worker`],
    ['In flight', `${inFlight.toLocaleString()} with workers`],
    ['Later', `${later.toLocaleString()} for their next attempt, or as delaySeconds says`],
    ['Scheduled', `${scheduled.toLocaleString()}${scheduledCut ? ' or more' : ''} of the topic, emitted with a delay`],
    ['Oldest', oldest !== undefined && <Time at={oldest} />],
    ['Dead', `${dead.toLocaleString()} of the step`],
  ] as const;
}

function Workers({ queue: { workers = [], silentWorkers } }: { queue: QueueStatus }) {
  if (workers.length === 0 && silentWorkers === undefined) return null;
  return (
    <ul className={styles.workers} aria-label="Workers">
      {workers.map(({ worker, language, host, pid, events }) => (
        <li key={worker}>
          <Badge tone="run">{language}</Badge>
          <span>
            process {pid} on {host}
          </span>
          <span className={styles.count}>
            {events} {events === 1 ? 'event' : 'events'}
          </span>
        </li>
      ))}
      {silentWorkers !== undefined && <li className={styles.quiet}>{silentWorkers} more do not say what they have</li>}
    </ul>
  );
}

function settingsOf({ infrastructure = {}, language, file }: StepEntry) {
  const { queue = {}, handler = {} } = infrastructure;
  const { type, maxRetries = 3, backoff = {}, concurrency = 10, globalConcurrency, rateLimit, delaySeconds } = queue;
  const { initial = 1, factor = 2, max = 90 } = backoff;
  return [
    ['File', <code key="file">{file}</code>],
    ['Language', language],
    ['Order', type === 'fifo' ? 'in order, within each message group' : 'none promised'],
    ['Attempts', `${maxRetries + 1}`],
    ['Backoff', `${initial} s, times ${factor}, up to ${max} s`],
    ['Concurrency', `${concurrency} in each worker${globalConcurrency ? `, ${globalConcurrency} in all` : ''}`],
    ['Rate', rateLimit !== undefined && `${rateLimit.limit} in ${rateLimit.per} s`],
    ['Delay', delaySeconds !== undefined && `${delaySeconds} s`],
    ['Time-out', handler.timeout !== undefined && `${handler.timeout} s`],
    ['Dead letters', queue.deadLetter === false && 'dropped'],
  ] as const;
}
