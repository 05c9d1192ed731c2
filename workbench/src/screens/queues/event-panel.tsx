/** Where one event is, in each step that has not handled it. */
import { Radar } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import { EVERY, useApi } from '../../api/hooks.ts';
import type { EventPlace, EventSearch } from '../../api/types.ts';
import { toPart } from '../../lib/path-part.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { FindField } from '../../ui/filters.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Copy, Time } from '../../ui/text.tsx';

/** Leads to the event of an id. */
export function FindEvent() {
  const [, navigate] = useLocation();
  return <FindField label="Where is event…" onFind={(id) => navigate(`/queues/events/${toPart(id)}`)} />;
}

const TONES: Record<string, Tone> = {
  running: 'run',
  dead: 'bad',
  paused: 'warn',
  'no worker': 'bad',
  scheduled: 'cron',
};

export function EventPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error, refetch } = useApi<EventSearch>(`/events/${encodeURIComponent(id)}`, { every: EVERY.live });
  return (
    <Panel label={`Event ${id}`} title="Where is this event?" onClose={onClose}>
      <Section title="Event" actions={<Copy what="event id" text={id} />}>
        <code>{id}</code>
      </Section>
      {error && !data ? (
        <ErrorState error={error} what="It could not be looked for" onRetry={refetch} />
      ) : !data ? (
        <Loading label="Looking for the event" />
      ) : data.places.length === 0 ? (
        <Empty icon={Radar} title={data.cut.length > 0 ? 'It was not found so far' : 'It is nowhere'}>
          {data.cut.length > 0 ? (
            <p>There are more events ({data.cut.join(', ')}) than are looked through.</p>
          ) : (
            <p>All steps have handled it, or there never was such an event.</p>
          )}
        </Empty>
      ) : (
        data.places.map((place) => <Place key={`${place.step} ${place.topic} ${place.state}`} place={place} />)
      )}
    </Panel>
  );
}

function Place({
  place: { step, topic, state, why, attempt, until, worker, since, deadLetter },
}: {
  place: EventPlace;
}) {
  return (
    <Section title={step ?? 'All steps that subscribe'} actions={<Badge tone={TONES[state] ?? 'plain'}>{state}</Badge>}>
      <Facts
        facts={[
          ['Topic', <code key="topic">{topic}</code>],
          ['Why', why],
          ['Attempt', attempt],
          ['Until', until !== undefined && <Time at={until} />],
          ['Worker', worker !== undefined && `${worker.language}, process ${worker.pid} on ${worker.host}`],
          ['Since', since !== undefined && <Time at={since} />],
          [
            'Dead letter',
            deadLetter !== undefined && <Link href={`/queues/dead-letters/${deadLetter}`}>{deadLetter}</Link>,
          ],
        ]}
      />
    </Section>
  );
}
