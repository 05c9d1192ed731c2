/** One trace: what it is, its time line, and all that was logged in it. */
import { ExternalLink, Minus, Plus, ScrollText, SquareStack } from 'lucide-react';
import { useState } from 'react';
import { EVERY, useApi, useApp } from '../../api/hooks.ts';
import type { Trace } from '../../api/types.ts';
import { useShortcut } from '../../lib/shortcuts.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { Badge } from '../../ui/badge.tsx';
import { ButtonLink, IconButton } from '../../ui/button.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Copy, Duration, Time } from '../../ui/text.tsx';
import { STATUS_TONES } from './columns.tsx';
import { LogList } from './log-list.tsx';
import { SpanPanel } from './span-panel.tsx';
import styles from './trace-detail.module.css';
import { Waterfall } from './waterfall.tsx';
import { countSpans, findSpan } from './waterfall-rows.ts';

/** What comes late, an event that waits for example, is looked for as long. */
const YOUNG_MS = 60_000;
const ZOOMS = [1, 2, 4, 8, 16];

interface Props {
  traceId: string;
  /** Id of the span that is open. */
  spanId: string | undefined;
  href: (traceId?: string, spanId?: string) => string;
  onClose: () => void;
  onCloseSpan: () => void;
}

export function TraceDetail({ traceId, spanId, href, onClose, onCloseSpan }: Props) {
  const path = `/traces/${encodeURIComponent(traceId)}`;
  const { data: trace, error, refetch } = useApi<Trace>(path, { every: renewalOf });
  useShortcut('Escape', 'Close the trace', onClose);
  if (!trace) {
    if (!error) return <Loading label="Loading the trace" />;
    return <ErrorState error={error} what="This trace could not be read" onRetry={refetch} />;
  }
  const span = findSpan(trace.roots, spanId);
  return (
    <>
      <article className={styles.detail} data-testid="trace-details" aria-label={`Trace ${traceId}`}>
        <Header trace={trace} />
        <Views trace={trace} spanId={spanId} href={href} />
      </article>
      {span && <SpanPanel key={span.spanId} trace={trace} span={span} href={href} onClose={onCloseSpan} />}
    </>
  );
}

const renewalOf = (trace: Trace | undefined): number | undefined =>
  trace && trace.status !== 'running' && Date.now() - Date.parse(trace.startedAt) > YOUNG_MS ? undefined : EVERY.live;

function Header({ trace }: { trace: Trace }) {
  const { traceId, status, startedAt, durationMs, roots, complete } = trace;
  const { data: app } = useApp();
  const name = roots.find(({ missing }) => !missing)?.name ?? 'Trace';
  const id = encodeURIComponent(traceId);
  return (
    <header className={styles.header}>
      <div className={styles.line}>
        <Badge tone={STATUS_TONES[status]}>{status}</Badge>
        <h2 className={styles.name}>{name}</h2>
        <div className={styles.links}>
          <ButtonLink look="quiet" icon={ScrollText} href={`/logs?trace=${id}`}>
            Logs
          </ButtonLink>
          <ButtonLink look="quiet" icon={SquareStack} href={`/states?trace=${id}`}>
            State
          </ButtonLink>
          {app?.jaegerUrl !== undefined && (
            <a
              className={styles.jaeger}
              href={app.jaegerUrl.replace('{traceId}', traceId)}
              target="_blank"
              rel="noreferrer"
            >
              <ExternalLink size={14} aria-hidden /> Jaeger
            </a>
          )}
        </div>
      </div>
      <div className={styles.facts}>
        <span className={styles.id}>
          <code data-testid="trace-id">{traceId}</code>
          <Copy text={traceId} what="the trace id" />
        </span>
        <span>
          <Duration ms={durationMs} />
        </span>
        <span>{countSpans(roots)} spans</span>
        <Time at={startedAt} />
        {!complete && <Badge tone="warn">too large to be shown whole</Badge>}
      </div>
    </header>
  );
}

function Views({ trace, spanId, href }: Pick<Props, 'spanId' | 'href'> & { trace: Trace }) {
  const [{ view }, setView] = useUrlState('view');
  const [zoom, setZoom] = useState(0);
  const isLog = view === 'logs';
  return (
    <div className={styles.views}>
      <Tabs
        label="Views of the trace"
        tabs={[
          { id: 'timeline', title: 'Time line' },
          { id: 'logs', title: 'Log', count: trace.logs.length },
        ]}
        value={isLog ? 'logs' : 'timeline'}
        onChange={(id) => setView({ view: id === 'logs' ? id : '' })}
      >
        {isLog ? (
          <LogList logs={trace.logs} spanHref={(id) => href(trace.traceId, id)} />
        ) : (
          <Waterfall
            trace={trace}
            selected={spanId}
            zoom={ZOOMS[zoom] ?? 1}
            spanHref={(id) => href(trace.traceId, id)}
          />
        )}
      </Tabs>
      {!isLog && (
        <div className={styles.zoom}>
          <IconButton label="Smaller" icon={Minus} disabled={zoom === 0} onClick={() => setZoom(zoom - 1)} />
          <span>{(ZOOMS[zoom] ?? 1) * 100} %</span>
          <IconButton
            label="Larger"
            icon={Plus}
            disabled={zoom === ZOOMS.length - 1}
            onClick={() => setZoom(zoom + 1)}
          />
        </div>
      )}
    </div>
  );
}
