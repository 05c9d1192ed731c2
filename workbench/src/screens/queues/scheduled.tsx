/** Events whose time has not come: emitted with a delay, or between two attempts. */
import { Hourglass, Trash2, Zap } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { EVERY, useRemove } from '../../api/hooks.ts';
import type { Page, ScheduledEvent } from '../../api/types.ts';
import { useAction } from '../../api/use-action.ts';
import { useList } from '../../api/use-list.ts';
import { toPart } from '../../lib/path-part.ts';
import { exactText } from '../../lib/time.ts';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Buttons } from '../../ui/fields.tsx';
import { FilterBar, SearchField } from '../../ui/filters.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Column as ScreenColumn, Split } from '../../ui/screen.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/text.tsx';
import { toast } from '../../ui/toast.tsx';
import styles from './queues.module.css';

const COLUMNS: readonly Column<ScheduledEvent>[] = [
  { id: 'at', title: 'Due', width: '110px', cell: ({ at }) => <Time at={at} /> },
  { id: 'topic', title: 'Topic', width: 'minmax(120px, 1fr)', cell: ({ topic }) => <code>{topic}</code> },
  {
    id: 'step',
    title: 'For',
    width: 'minmax(120px, 1fr)',
    cell: ({ step }) => (step === undefined ? <span className={styles.quiet}>all subscribers</span> : step),
  },
  { id: 'kind', title: 'Why', width: 'minmax(90px, 140px)', cell: (event) => <Why event={event} /> },
  { id: 'event', title: 'Event', width: 'minmax(110px, 1.2fr)', cell: ({ eventId }) => <code>{eventId}</code> },
];

function Why({ event: { attempt = 1 } }: { event: ScheduledEvent }) {
  return attempt > 1 ? <Badge tone="warn">attempt {attempt}</Badge> : <Badge>delayed</Badge>;
}

export function Scheduled({ id }: { id: string | undefined }) {
  const [{ text }, setFilters] = useUrlState('text');
  const [, navigate] = useLocation();
  const withSearch = useWithSearch(['text']);
  const list = useList<Page<ScheduledEvent>, 'items'>('/scheduled', {
    ...{ field: 'items', by: 'after', every: EVERY.live },
  });
  const rows = list.rows.filter(({ topic, step, eventId }) =>
    `${topic} ${step} ${eventId}`.toLowerCase().includes(text.toLowerCase()),
  );
  return (
    <Split>
      <ScreenColumn>
        <FilterBar
          end={
            <span>
              {list.rows.length}
              {list.hasMore && '+'} scheduled
            </span>
          }
        >
          <SearchField label="Search topic, step or event id" value={text} onChange={(text) => setFilters({ text })} />
        </FilterBar>
        {list.isLoading ? (
          <Loading label="Loading scheduled events" />
        ) : list.error && list.rows.length === 0 ? (
          <ErrorState error={list.error} what="Scheduled events could not be read" onRetry={list.restart} />
        ) : rows.length === 0 ? (
          <NothingScheduled isFiltered={text !== ''} onClear={() => setFilters({ text: '' })} />
        ) : (
          <Table<ScheduledEvent>
            label="Scheduled events"
            columns={COLUMNS}
            rows={rows}
            rowKey={(event) => event.id}
            rowHref={(event) => withSearch(`/queues/scheduled/${toPart(event.id)}`)}
            rowTestId={({ topic }) => `scheduled-${topic}`}
            selected={id}
            onEnd={list.loadMore}
          />
        )}
      </ScreenColumn>
      {id !== undefined && (
        <ScheduledPanel
          key={id}
          id={id}
          event={list.rows.find((event) => event.id === id)}
          isLoading={list.isLoading}
          onClose={() => navigate(withSearch('/queues/scheduled'))}
        />
      )}
    </Split>
  );
}

interface PanelProps {
  id: string;
  event: ScheduledEvent | undefined;
  isLoading: boolean;
  onClose: () => void;
}

function ScheduledPanel({ id, event, isLoading, onClose }: PanelProps) {
  const [isAsked, setAsked] = useState(false);
  const { act, isBusy } = useAction('/scheduled', '/queues');
  const remove = useRemove('/scheduled', '/queues');
  const path = `/scheduled/${encodeURIComponent(id)}`;
  const run = async () => {
    if (await act({ path: `${path}/run` }, 'It is on its way now')) onClose();
  };
  const confirm = async () => {
    await remove([path], onClose);
    toast('The event is gone');
  };
  return (
    <Panel label="Scheduled event" title={event ? <code>{event.topic}</code> : 'Scheduled event'} onClose={onClose}>
      {event ? (
        <>
          <Section title="What to do">
            <Buttons>
              <Button look="primary" icon={Zap} onClick={run} disabled={isBusy}>
                Run now
              </Button>
              <Button look="danger" icon={Trash2} onClick={() => setAsked(true)}>
                Delete
              </Button>
            </Buttons>
          </Section>
          <Section title="The event">
            <Facts
              facts={[
                [
                  'Due',
                  <span key="at">
                    {exactText(new Date(event.at))} (<Time at={event.at} />)
                  </span>,
                ],
                ['For', event.step ?? 'all steps that subscribe by then'],
                ['Why', <Why key="why" event={event} />],
                ['Event', <code key="event">{event.eventId}</code>],
              ]}
            />
          </Section>
          {event.data !== undefined && (
            <Section title="Payload">
              <JsonView value={event.data} what="the payload" />
            </Section>
          )}
        </>
      ) : isLoading ? (
        <Loading label="Loading the event" />
      ) : (
        <Empty icon={Hourglass} title="It does not wait any more">
          <p>Its time has come, or somebody has thrown it away.</p>
        </Empty>
      )}
      {isAsked && (
        <Confirm title="Delete this event?" action="Delete it" onConfirm={confirm} onClose={() => setAsked(false)}>
          <p>It is not delivered to anybody, and is gone for good.</p>
        </Confirm>
      )}
    </Panel>
  );
}

function NothingScheduled({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) {
    return (
      <Empty
        icon={Hourglass}
        title="No scheduled event fits"
        action={<Button onClick={onClear}>Clear the search</Button>}
      >
        <p>The search looks through those that are loaded.</p>
      </Empty>
    );
  }
  return (
    <Empty icon={Hourglass} title="Nothing waits for its time">
      <p>Events that are emitted with a delay wait here, and those that failed, until their next attempt:</p>
      <pre>{`await emit({ topic: 'order.reminder', data, delay: 3600 });`}</pre>
    </Empty>
  );
}
