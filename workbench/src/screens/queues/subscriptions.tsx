/** The subscriptions of the app: what waits in each, and why. */
import type { UseQueryResult } from '@tanstack/react-query';
import { Inbox, Send } from 'lucide-react';
import { useLocation } from 'wouter';
import type { ApiError } from '../../api/client.ts';
import type { QueueStatus } from '../../api/types.ts';
import { useAction } from '../../api/use-action.ts';
import { toPart } from '../../lib/path-part.ts';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { FilterBar, SearchField, Segments } from '../../ui/filters.tsx';
import { Column, Split, Stats } from '../../ui/screen.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Table } from '../../ui/table.tsx';
import { Time } from '../../ui/text.tsx';
import { FindEvent } from './event-panel.tsx';
import { columnsOf } from './subscription-columns.tsx';
import { SubscriptionPanel } from './subscription-panel.tsx';
import { useDepths } from './use-depths.ts';

const SHOWN = [
  { value: '', title: 'All' },
  { value: 'waiting', title: 'Waiting' },
  { value: 'paused', title: 'Paused' },
  { value: 'dead', title: 'With dead letters' },
];

const FITS: Record<string, (queue: QueueStatus) => boolean> = {
  waiting: ({ waiting, inFlight, later, scheduled }) => waiting + inFlight + later + scheduled > 0,
  paused: ({ paused }) => paused,
  dead: ({ dead }) => dead > 0,
};

interface Props {
  queues: UseQueryResult<QueueStatus[], ApiError>;
  /** Of the subscription that is open. */
  step: string | undefined;
  topic: string | undefined;
}

export function Subscriptions({ queues: { data, error, refetch, dataUpdatedAt }, step, topic }: Props) {
  const [filters, setFilters] = useUrlState('show', 'text');
  const [, navigate] = useLocation();
  const withSearch = useWithSearch(['show', 'text']);
  const depths = useDepths(data, dataUpdatedAt);
  const { act } = useAction('/queues');
  const onPause = ({ subscription, step, topic, paused }: QueueStatus) =>
    act(
      { path: `/queues/${encodeURIComponent(subscription)}/${paused ? 'resume' : 'pause'}` },
      paused ? `${step} takes ${topic} again` : `${step} takes no ${topic} until it is resumed`,
    );
  if (error && !data) return <ErrorState error={error} what="Queues could not be read" onRetry={refetch} />;
  if (!data) return <Loading label="Loading queues" />;
  if (data.length === 0) return <NoSubscriptions />;
  const text = filters.text.toLowerCase();
  const rows = data.filter(
    (queue) => (FITS[filters.show]?.(queue) ?? true) && `${queue.step} ${queue.topic}`.toLowerCase().includes(text),
  );
  const open = data.find((queue) => queue.step === step && queue.topic === topic);
  return (
    <Split>
      <Column>
        <Totals queues={data} />
        <FilterBar
          end={
            <>
              <FindEvent />
              <ButtonLink icon={Send} href="/queues/emit">
                Emit an event
              </ButtonLink>
            </>
          }
        >
          <Segments label="Show" value={filters.show} options={SHOWN} onChange={(show) => setFilters({ show })} />
          <SearchField label="Search step or topic" value={filters.text} onChange={(text) => setFilters({ text })} />
        </FilterBar>
        {rows.length === 0 ? (
          <Empty
            icon={Inbox}
            title="No subscription fits"
            action={<Button onClick={() => setFilters({ show: '', text: '' })}>Show all {data.length}</Button>}
          />
        ) : (
          <Table<QueueStatus>
            label="Subscriptions"
            columns={columnsOf({ depths, onPause })}
            rows={rows}
            rowKey={({ subscription }) => subscription}
            rowHref={({ step, topic }) => withSearch(`/queues/subscriptions/${toPart(step)}/${toPart(topic)}`)}
            rowTestId={({ step, topic }) => `queue-${step}-${topic}`}
            selected={open?.subscription}
          />
        )}
      </Column>
      {step !== undefined && (
        <SubscriptionPanel
          queue={open}
          onPause={onPause}
          onClose={() => navigate(withSearch('/queues/subscriptions'))}
        />
      )}
    </Split>
  );
}

function Totals({ queues }: { queues: readonly QueueStatus[] }) {
  const sum = (of: (queue: QueueStatus) => number) => queues.reduce((all, queue) => all + of(queue), 0);
  const oldest = queues.flatMap(({ oldest }) => oldest ?? []).sort()[0];
  const paused = queues.filter(({ paused }) => paused).length;
  const dead = [...new Map(queues.map(({ step, dead }) => [step, dead])).values()].reduce((all, one) => all + one, 0);
  return (
    <Stats
      stats={[
        { name: 'Waiting', value: sum(({ waiting }) => waiting).toLocaleString() },
        { name: 'In flight', value: sum(({ inFlight }) => inFlight).toLocaleString() },
        { name: 'Retries', value: sum(({ later }) => later).toLocaleString() },
        { name: 'Oldest', value: oldest === undefined ? '–' : <Time at={oldest} /> },
        { name: 'Dead letters', value: dead.toLocaleString(), tone: dead > 0 ? 'bad' : undefined },
        { name: 'Paused', value: paused, tone: paused > 0 ? 'warn' : undefined },
      ]}
    />
  );
}

const EXAMPLE = `export const config = {
  type: 'event',
  name: 'ShipOrder',
  subscribes: ['order.placed'],
  emits: [],
};`;

const NoSubscriptions = () => (
  <Empty icon={Inbox} title="No step subscribes to a topic yet">
    <p>Each event step has a queue for each of its topics. Write one, and it shows up here when you save it:</p>
    <pre>{EXAMPLE}</pre>
  </Empty>
);
