/** One dead letter: why it died, what was in it, and another chance. */
import { Activity, MailX, RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useApi, useRefresh, useRemove } from '../../api/hooks.ts';
import type { DeadLetterDetail } from '../../api/types.ts';
import { useAction } from '../../api/use-action.ts';
import { exactText } from '../../lib/time.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { ErrorText } from '../../ui/error-text.tsx';
import { Buttons } from '../../ui/fields.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Copy, Time } from '../../ui/text.tsx';
import { toast } from '../../ui/toast.tsx';
import { useSource } from '../flows/use-source.tsx';

export function DeadLetterPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const source = useSource();
  const path = `/dead-letters/${encodeURIComponent(id)}`;
  const { data: letter, error, refetch } = useApi<DeadLetterDetail>(path);
  if (source.panel) return source.panel;
  return (
    <Panel
      label={`Dead letter ${id}`}
      title={letter ? `${letter.step}: ${letter.error.name}` : 'Dead letter'}
      onClose={onClose}
    >
      {letter ? (
        <Letter letter={letter} path={path} sourceHref={source.href} onGone={onClose} />
      ) : error?.status === 404 ? (
        <Empty icon={MailX} title="It is not there any more">
          <p>It was tried again or thrown away, or died more than 30 days ago.</p>
        </Empty>
      ) : error ? (
        <ErrorState error={error} what="The dead letter could not be read" onRetry={refetch} />
      ) : (
        <Loading label="Loading the dead letter" />
      )}
    </Panel>
  );
}

interface LetterProps {
  letter: DeadLetterDetail;
  path: string;
  sourceHref: (step: string, line: number) => string;
  onGone: () => void;
}

function Letter({ letter, path, sourceHref, onGone }: LetterProps) {
  const { step, topic, eventId, attempts, group, traceId, emittedAt, diedAt, error, data } = letter;
  const [isAsked, setAsked] = useState(false);
  const refresh = useRefresh();
  const { act, isBusy } = useAction('/queues', '/traces');
  const remove = useRemove('/dead-letters', '/queues');
  const retry = async () => {
    if (!(await act({ path: `${path}/retry` }, `${step} tries it again`))) return;
    onGone();
    // When it is not shown any more: it is not there any more, either.
    setTimeout(() => void refresh('/dead-letters'));
  };
  const confirm = async () => {
    await remove([path], onGone);
    toast('The dead letter is gone');
  };
  return (
    <>
      <Section title="What to do">
        <Buttons>
          <Button look="primary" icon={RotateCcw} onClick={retry} disabled={isBusy}>
            Retry
          </Button>
          {traceId !== undefined && (
            <ButtonLink icon={Activity} href={`/traces/${traceId}`}>
              Its trace
            </ButtonLink>
          )}
          <Button look="danger" icon={Trash2} onClick={() => setAsked(true)}>
            Delete
          </Button>
        </Buttons>
      </Section>
      <Section title="The last attempt">
        <ErrorText error={error} sourceHref={sourceHref} />
      </Section>
      <Section title="The event">
        <Facts
          facts={[
            ['Topic', <code key="topic">{topic}</code>],
            [
              'Event',
              <span key="event">
                <code>{eventId}</code> <Copy what="event id" text={eventId} />
              </span>,
            ],
            ['Attempts', attempts],
            ['Message group', group],
            ['Trace', traceId !== undefined && <Link href={`/traces/${traceId}`}>{traceId}</Link>],
            ['Emitted', exactText(new Date(emittedAt))],
            [
              'Died',
              <span key="died">
                {exactText(new Date(diedAt))} (<Time at={diedAt} />)
              </span>,
            ],
          ]}
        />
      </Section>
      <Section title="Payload">
        <JsonView value={data} what="the payload" />
      </Section>
      {isAsked && (
        <Confirm
          title="Delete this dead letter?"
          action="Delete it"
          onConfirm={confirm}
          onClose={() => setAsked(false)}
        >
          <p>It and its payload are gone for good.</p>
        </Confirm>
      )}
    </>
  );
}
