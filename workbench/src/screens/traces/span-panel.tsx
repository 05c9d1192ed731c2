/** One span: what it did and to what, its payload, what went wrong, what it logged, and where it is in the code. */
import { Code } from 'lucide-react';
import { Link } from 'wouter';
import { useSteps } from '../../api/hooks.ts';
import type { LogRecord, SpanNode, StepEntry, Trace } from '../../api/types.ts';
import { exactText } from '../../lib/time.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { StackView } from '../../ui/stack-view.tsx';
import { Copy, Duration } from '../../ui/text.tsx';
import { SourceView } from '../flows/source-view.tsx';
import { LogList } from './log-list.tsx';
import { PayloadSections } from './payload-view.tsx';
import { ReplayButton } from './replay-button.tsx';
import { attemptOf, languageOf, lookOf, stepOf, targetOf } from './span-look.ts';
import styles from './span-panel.module.css';
import { logsBySpan, waitOf } from './waterfall-rows.ts';

interface Props {
  trace: Trace;
  span: SpanNode;
  href: (traceId?: string, spanId?: string) => string;
  onClose: () => void;
}

export function SpanPanel({ trace, span, href, onClose }: Props) {
  const [{ source, line }, setState] = useUrlState('source', 'line');
  const { steps = [] } = useSteps().data ?? {};
  const step = steps.find(({ id }) => id === stepOf(span));
  const logs = logsBySpan(trace.logs).get(span.spanId) ?? [];
  const stack = stackOf(span, logs);
  const { tone } = lookOf(span);
  const spanHref = href(trace.traceId, span.spanId);
  if (source !== '') {
    const close = () => setState({ source: '', line: '' });
    return (
      <Panel title={source} label={`Source of ${source}`} onClose={close} width={640}>
        <SourceView step={source} line={Number(line) || undefined} />
      </Panel>
    );
  }
  return (
    <Panel
      label={`Span ${span.name}`}
      title={
        <>
          <Badge tone={tone}>{span.kind}</Badge>
          {span.name}
        </>
      }
      actions={
        <>
          <ReplayButton span={span} />
          {step && (
            <Button look="quiet" icon={Code} onClick={() => setState({ source: step.id })}>
              Source
            </Button>
          )}
        </>
      }
      onClose={onClose}
    >
      {span.error !== undefined && (
        <Section title="What went wrong">
          {stack === undefined ? (
            <p>{span.error}</p>
          ) : (
            <StackView
              stack={stack}
              sourceHref={(id, at) => `${withQuery(spanHref)}source=${encodeURIComponent(id)}&line=${at}`}
            />
          )}
        </Section>
      )}
      <Section title="Span">
        <SpanFacts span={span} step={step} />
      </Section>
      <PayloadSections span={span} />
      {logs.length > 0 && (
        <Section title="Logged here">
          <div className={styles.flush}>
            <LogList logs={logs} />
          </div>
        </Section>
      )}
      {otherEvents(span).length > 0 && (
        <Section title="Events">
          <JsonView value={otherEvents(span)} what="the events" />
        </Section>
      )}
      {(span.links?.length ?? 0) > 0 && (
        <Section title="Linked traces">
          <ul>
            {span.links?.map((link) => {
              const [, traceId = '', spanId = ''] = link.split('-');
              return (
                <li key={link}>
                  <Link href={`/traces/${traceId}/${spanId}`}>
                    <code>{traceId}</code>
                  </Link>
                </li>
              );
            })}
          </ul>
        </Section>
      )}
      <Section title="Attributes">
        <JsonView value={span.attributes ?? {}} what="the attributes" />
      </Section>
    </Panel>
  );
}

const withQuery = (href: string) => `${href}${href.includes('?') ? '&' : '?'}`;

function SpanFacts({ span, step }: { span: SpanNode; step: StepEntry | undefined }) {
  const flow = step?.flows[0];
  const id = stepOf(span);
  const wait = waitOf(span);
  const language = languageOf(span);
  const attempt = attemptOf(span);
  return (
    <Facts
      facts={[
        [
          'Step',
          flow !== undefined && step ? (
            <Link key="step" href={`/flows/${encodeURIComponent(flow)}?step=${encodeURIComponent(step.id)}`}>
              {id}
            </Link>
          ) : (
            id
          ),
        ],
        ['About', targetOf(span)],
        ['Language', language],
        ['Attempt', attempt],
        ['Started', exactText(new Date(span.start))],
        ['Took', span.durationMs === undefined ? 'goes on' : <Duration key="took" ms={span.durationMs} />],
        ['Waited before', wait > 0 && <Duration key="wait" ms={wait} />],
        ['Process', span.node || undefined],
        [
          'Span id',
          <span key="id">
            <code>{span.spanId}</code> <Copy text={span.spanId} what="the span id" />
          </span>,
        ],
      ]}
    />
  );
}

/** Of the log record of the failure, or of the exception that was recorded. */
function stackOf({ events = [] }: SpanNode, logs: readonly LogRecord[]): string | undefined {
  for (const { err } of logs as readonly { err?: { stack?: unknown } }[]) {
    if (typeof err?.stack === 'string') return err.stack;
  }
  const recorded = events.find(({ name }) => name === 'exception')?.attributes?.['exception.stacktrace'];
  return typeof recorded === 'string' ? recorded : undefined;
}

const otherEvents = ({ events = [] }: SpanNode) => events.filter(({ name }) => name !== 'exception');
