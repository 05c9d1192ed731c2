/** One record whole, and where it leads. */
import { Clock, ListFilter, ScrollText } from 'lucide-react';
import { Link } from 'wouter';
import { useApi } from '../../api/hooks.ts';
import type { LogPage, LogRecord } from '../../api/types.ts';
import { exactText } from '../../lib/time.ts';
import { Badge } from '../../ui/badge.tsx';
import { ButtonLink } from '../../ui/button.tsx';
import { ErrorText } from '../../ui/error-text.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Copy, Time } from '../../ui/text.tsx';
import { useSource } from '../flows/use-source.tsx';
import { LEVEL_TONES } from './columns.tsx';
import { errorOf, fieldsOf, keyOf, readKey } from './log-entry.ts';
import styles from './logs.module.css';

interface Props {
  /** As in the path. */
  entryKey: string;
  /** When it is in the list already. */
  known: LogRecord | undefined;
  onClose: () => void;
}

export function LogPanel({ entryKey, known, onClose }: Props) {
  const source = useSource();
  const { time, first } = readKey(entryKey);
  // Of a link: the records of that very millisecond are few.
  const query = { since: time, until: time, limit: 1_000 };
  const { data, error, isLoading } = useApi<LogPage>('/logs', { query, enabled: known === undefined });
  const record = known ?? data?.logs.find((one) => keyOf(one) === first);
  if (source.panel) return source.panel;
  return (
    <Panel
      label="Log details"
      title={
        record ? <Badge tone={LEVEL_TONES[record.level] ?? 'plain'}>{record.level}</Badge> : <span>Log details</span>
      }
      actions={record && <Copy what="the record" text={JSON.stringify(record, null, 2)} />}
      onClose={onClose}
    >
      {record ? (
        <Details record={record} sourceHref={source.href} />
      ) : isLoading ? (
        <Loading label="Looking for the record" />
      ) : error && error.status !== 400 ? (
        <ErrorState error={error} what="The record could not be read" />
      ) : (
        <Empty icon={ScrollText} title="This record is not stored (any more)">
          <p>Logs are kept for three days, unless your project says otherwise.</p>
        </Empty>
      )}
    </Panel>
  );
}

interface DetailsProps {
  record: LogRecord;
  sourceHref: (step: string, line: number) => string;
}

function Details({ record, sourceHref }: DetailsProps) {
  const { time, msg, step, flows = [], traceId, spanId, action } = record;
  const error = errorOf(record);
  const fields = fieldsOf(record);
  return (
    <>
      <p className={styles.whole}>{msg}</p>
      <Section title="About it">
        <Facts
          facts={[
            [
              'Time',
              <>
                {exactText(new Date(time))} (<Time at={time} />)
              </>,
            ],
            ['Step', step !== undefined && <Link href={`/logs?step=${encodeURIComponent(step)}`}>{step}</Link>],
            ['Flows', flows.length > 0 && flows.join(', ')],
            ['Kind', action !== undefined && action !== 'log' && <code>{String(action)}</code>],
            [
              'Trace',
              traceId !== undefined && (
                <span className={styles.id}>
                  <Link href={`/traces/${traceId}`}>
                    <code>{traceId}</code>
                  </Link>
                  <Copy what="trace id" text={traceId} />
                </span>
              ),
            ],
            ['Span', spanId !== undefined && <code>{spanId}</code>],
          ]}
        />
        <div className={styles.links}>
          {traceId !== undefined && (
            <ButtonLink icon={ListFilter} href={`/logs?text=${traceId}`}>
              The whole trace’s log
            </ButtonLink>
          )}
          <ButtonLink icon={Clock} href={`/logs?${aroundOf(time)}`}>
            What else was then
          </ButtonLink>
        </div>
      </Section>
      {error && (
        <Section title="Error">
          <ErrorText error={error} sourceHref={sourceHref} />
        </Section>
      )}
      {fields.length > 0 && (
        <Section title="Fields">
          <JsonView what="the fields" value={Object.fromEntries(fields)} />
        </Section>
      )}
    </>
  );
}

const AROUND_MS = 5_000;

/** Filters for the seconds around a time. */
function aroundOf(time: string): string {
  const at = Date.parse(time);
  const iso = (ms: number) => new Date(ms).toISOString();
  return `${new URLSearchParams({ since: iso(at - AROUND_MS), until: iso(at + AROUND_MS) })}`;
}
