/** One cron step: its schedule, its last run, and what it has done lately. */
import { CalendarClock, Pause, Play, Zap } from 'lucide-react';
import { Link } from 'wouter';
import { EVERY, useApi, useSteps } from '../../api/hooks.ts';
import type { CronStatus, TracePage } from '../../api/types.ts';
import { durationText, exactText } from '../../lib/time.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Buttons } from '../../ui/fields.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Empty } from '../../ui/states.tsx';
import { Duration, Time } from '../../ui/text.tsx';
import { STATUS_TONES } from '../traces/columns.tsx';
import { OUTCOME_TONES, tookMs } from './columns.tsx';
import styles from './cron.module.css';
import { scheduleText } from './schedule-text.ts';
import type { CronActions } from './use-cron-actions.ts';

interface Props {
  /** Absent when there is no such step. */
  status: CronStatus | undefined;
  actions: CronActions;
  onClose: () => void;
}

export function CronPanel({ status, actions, onClose }: Props) {
  const { steps = [] } = useSteps().data ?? {};
  if (!status) {
    return (
      <Panel title="Cron step" label="Cron step" onClose={onClose}>
        <Empty icon={CalendarClock} title="There is no such cron step">
          <p>It may have been renamed, or may not be on a schedule any more.</p>
        </Empty>
      </Panel>
    );
  }
  const { step, cron, timezone, paused, next } = status;
  const entry = steps.find(({ id }) => id === step);
  return (
    <Panel
      label={step}
      title={
        <>
          {step}
          {paused && <Badge tone="warn">paused</Badge>}
        </>
      }
      onClose={onClose}
    >
      <Section title="What to do">
        <Buttons>
          <Button look="primary" icon={Zap} onClick={() => actions.run(status)}>
            Run now
          </Button>
          <Button icon={paused ? Play : Pause} onClick={() => actions.togglePause(status)}>
            {paused ? 'Resume' : 'Pause'}
          </Button>
        </Buttons>
      </Section>
      <Section title="Schedule">
        <Facts
          facts={[
            ['Expression', <code key="cron">{cron}</code>],
            ['In words', scheduleText(cron)],
            ['Time zone', timezone],
            [
              'Next',
              next === undefined ? (
                paused ? (
                  'not before it is resumed; its ticks are not made up for'
                ) : (
                  'never'
                )
              ) : (
                <span key="next">
                  {exactText(new Date(next))} (<Time at={next} />)
                </span>
              ),
            ],
            ['Missed ticks', entry?.missed === 'catchUp' ? 'run one after the other' : 'are left out'],
            ['Overlap', entry?.overlap ? 'a tick runs beside the one before' : 'a tick during a run is left out'],
            ['File', entry && <code key="file">{entry.file}</code>],
            ['Language', entry?.language],
          ]}
        />
      </Section>
      <Section title="Last run">
        <LastRun last={status.last} />
      </Section>
      <Section title="Lately">
        <Runs step={step} />
      </Section>
    </Panel>
  );
}

function LastRun({ last }: { last: CronStatus['last'] }) {
  if (!last) return <p className={styles.quiet}>It has not run yet.</p>;
  const { tick, manual, outcome, startedAt } = last;
  const took = tookMs(last);
  const late = Date.parse(startedAt) - Date.parse(tick);
  return (
    <Facts
      facts={[
        [
          'Outcome',
          <Badge key="outcome" tone={OUTCOME_TONES[outcome]}>
            {outcome}
          </Badge>,
        ],
        ['Tick', manual ? 'run by hand' : exactText(new Date(tick))],
        ['Started', `${exactText(new Date(startedAt))}, ${durationText(Math.max(late, 0))} after its time`],
        ['Took', took !== undefined && <Duration ms={took} />],
      ]}
    />
  );
}

/** As traces tell it, which are kept for some days. */
function Runs({ step }: { step: string }) {
  const { data } = useApi<TracePage>('/traces', { query: { step, limit: 20 }, every: EVERY.live });
  if (!data) return null;
  if (data.traces.length === 0) return <p className={styles.quiet}>No run is stored.</p>;
  return (
    <ul className={styles.runs}>
      {data.traces.map(({ traceId, status, startedAt, durationMs, error }) => (
        <li key={traceId}>
          <Link href={`/traces/${traceId}`} className={styles.run}>
            <Badge tone={STATUS_TONES[status]} dot>
              {status}
            </Badge>
            <span className={styles.reason} title={error}>
              {error}
            </span>
            {status !== 'running' && <Duration ms={durationMs} />}
            <span className={styles.when}>
              <Time at={startedAt} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
