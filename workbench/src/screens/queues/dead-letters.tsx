/** Events whose attempts are used up: what failed, and another chance for one of them or all. */
import { MailX, RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { EVERY, useApi, useRefresh } from '../../api/hooks.ts';
import type { DeadLetter, DeadLetterPage, QueueStatus } from '../../api/types.ts';
import { useList } from '../../api/use-list.ts';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { FilterBar, SearchField, Select } from '../../ui/filters.tsx';
import { NameCell } from '../../ui/name-cell.tsx';
import { Column as ScreenColumn, Split } from '../../ui/screen.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/text.tsx';
import { toast } from '../../ui/toast.tsx';
import { DeadLetterPanel } from './dead-letter-panel.tsx';
import styles from './queues.module.css';
import { purge, retryAll } from './redrive.ts';

const COLUMNS: readonly Column<DeadLetter>[] = [
  {
    id: 'step',
    title: 'Step',
    width: 'minmax(120px, 1fr)',
    cell: ({ step }) => <NameCell name={step} />,
  },
  { id: 'topic', title: 'Topic', width: 'minmax(110px, 1fr)', cell: ({ topic }) => <code>{topic}</code> },
  {
    id: 'error',
    title: 'Error',
    width: 'minmax(160px, 2.4fr)',
    cell: ({ error: { name, message } }) => (
      <span title={message}>
        <span className={styles.bad}>{name}</span> {message}
      </span>
    ),
  },
  { id: 'attempts', title: 'Attempts', width: '80px', align: 'right', cell: ({ attempts }) => attempts },
  { id: 'died', title: 'Died', width: '92px', align: 'right', cell: ({ diedAt }) => <Time at={diedAt} /> },
];

const isLike = ({ step, topic, eventId, error }: DeadLetter, text: string) =>
  `${step} ${topic} ${eventId} ${error.name} ${error.message}`.toLowerCase().includes(text.toLowerCase());

export function DeadLetters({ id }: { id: string | undefined }) {
  const [{ step, text }, setFilters] = useUrlState('step', 'text');
  const [, navigate] = useLocation();
  const withSearch = useWithSearch(['step', 'text']);
  const query = { step };
  const list = useList<DeadLetterPage, 'deadLetters'>('/dead-letters', {
    ...{ field: 'deadLetters', by: 'after', query, every: EVERY.live },
  });
  const rows = list.rows.filter((letter) => isLike(letter, text));
  const close = () => navigate(withSearch('/queues/dead-letters'));
  return (
    <Split>
      <ScreenColumn>
        <FilterBar end={<ForAll step={step} count={list.rows.length} hasMore={list.hasMore} />}>
          <SearchField label="Search error, step or event id" value={text} onChange={(text) => setFilters({ text })} />
          <StepFilter value={step} onChange={(step) => setFilters({ step })} />
        </FilterBar>
        {list.isLoading ? (
          <Loading label="Loading dead letters" />
        ) : list.error && list.rows.length === 0 ? (
          <ErrorState error={list.error} what="Dead letters could not be read" onRetry={list.restart} />
        ) : rows.length === 0 ? (
          <NoLetters isFiltered={step !== '' || text !== ''} onClear={() => setFilters({ step: '', text: '' })} />
        ) : (
          <Table<DeadLetter>
            label="Dead letters"
            columns={COLUMNS}
            rows={rows}
            rowKey={(letter) => letter.id}
            rowHref={(letter) => withSearch(`/queues/dead-letters/${letter.id}`)}
            rowTestId={(letter) => `dead-letter-${letter.id}`}
            selected={id}
            onEnd={list.loadMore}
            footer={
              list.isLoadingMore ? 'Loading more' : list.hasMore ? undefined : 'Dead letters are kept for 30 days'
            }
          />
        )}
      </ScreenColumn>
      {id !== undefined && <DeadLetterPanel key={id} id={id} onClose={close} />}
    </Split>
  );
}

function StepFilter({ value, onChange }: { value: string; onChange: (step: string) => void }) {
  const { data = [] } = useApi<QueueStatus[]>('/queues');
  const known = new Set(data.filter(({ dead }) => dead > 0).map(({ step }) => step));
  if (value !== '') known.add(value);
  const options = [...known].sort().map((step) => ({ value: step, title: step }));
  return (
    <Select label="Step" value={value} options={[{ value: '', title: 'Any step' }, ...options]} onChange={onChange} />
  );
}

/** What is done with all of them, or all of a step. */
function ForAll({ step, count, hasMore }: { step: string; count: number; hasMore: boolean }) {
  const [asked, setAsked] = useState<'retry' | 'delete'>();
  const refresh = useRefresh();
  const what = `${hasMore ? 'all' : count} dead ${count === 1 && !hasMore ? 'letter' : 'letters'}${step && ` of ${step}`}`;
  const retry = async () => {
    const { retried, refused } = await retryAll(step);
    await refresh('/dead-letters', '/queues');
    const rest = refused.length > 0 ? `; ${refused.length} stay: ${refused[0]?.reason}` : '';
    toast(`${retried} are tried again${rest}`, refused.length > 0 ? 'bad' : 'ok');
  };
  const remove = async () => {
    const { purged } = await purge(step);
    await refresh('/dead-letters', '/queues');
    toast(`${purged} dead letters are gone`);
  };
  return (
    <>
      <Button icon={RotateCcw} disabled={count === 0} onClick={() => setAsked('retry')}>
        Retry all
      </Button>
      <Button look="danger" icon={Trash2} disabled={count === 0} onClick={() => setAsked('delete')}>
        Delete all
      </Button>
      {asked === 'retry' && (
        <Confirm title={`Try ${what} again?`} action="Retry them" onConfirm={retry} onClose={() => setAsked(undefined)}>
          <p>
            Each goes back to the step that it died in, with all its attempts, in the order in which they died. Other
            steps of the topic are not run again.
          </p>
        </Confirm>
      )}
      {asked === 'delete' && (
        <Confirm title={`Delete ${what}?`} action="Delete them" onConfirm={remove} onClose={() => setAsked(undefined)}>
          <p>They and their payloads are gone for good.</p>
        </Confirm>
      )}
    </>
  );
}

function NoLetters({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) {
    return (
      <Empty icon={MailX} title="No dead letter fits" action={<Button onClick={onClear}>Clear the filters</Button>}>
        <p>The search looks through those that are loaded.</p>
      </Empty>
    );
  }
  return (
    <Empty icon={MailX} title="No dead letters">
      <p>
        An event whose attempts are used up comes here, with its payload and the error, and waits for you. To give up at
        once:
      </p>
      <pre>throw new NonRetriableError('no such customer');</pre>
    </Empty>
  );
}
