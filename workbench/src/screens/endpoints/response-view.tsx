/** The answer to a call, while it comes and when it is there. */
import { Activity, Download, Play, X } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { parseJson } from '../../lib/json-text.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { ButtonLink, IconButton } from '../../ui/button.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Empty, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Copy, Duration } from '../../ui/text.tsx';
import type { Auth } from './draft.ts';
import { LiveItem, streamItemOf } from './live-item.tsx';
import styles from './response-view.module.css';
import { type Answer, LONGEST_TEXT } from './send-request.ts';
import type { Call } from './use-call.ts';

interface Props {
  call: Call | undefined;
  auth: Auth;
  onClose: () => void;
}

export function ResponseView({ call, auth, onClose }: Props) {
  const [tab, setTab] = useState<'preview' | 'headers'>('preview');
  if (!call) {
    return (
      <Empty icon={Play} title="Nothing sent yet">
        <p>
          The answer is shown here, also while it comes bit by bit. If it is an item of a stream, it goes on changing
          here.
        </p>
      </Empty>
    );
  }
  if (call.error !== undefined) {
    return (
      <Empty icon={X} title="No answer">
        <p role="alert">{call.error}</p>
      </Empty>
    );
  }
  const { answer } = call;
  if (!answer) return <Loading label="Waiting for the answer" />;
  return (
    <div className={styles.response} data-testid="endpoint-response-container">
      <div className={styles.head} role="status">
        <Badge tone={toneOf(answer.status)}>
          {answer.status} {answer.statusText}
        </Badge>
        <Duration ms={answer.ms} />
        <span>{sizeText(answer.bytes)}</span>
        {!answer.isDone && <Badge tone="run">streaming</Badge>}
        {answer.error !== undefined && <Badge tone="bad">{answer.error}</Badge>}
        <div className={styles.end}>
          <TraceLink trace={call.trace} />
          <IconButton label="Close the answer" icon={X} onClick={onClose} />
        </div>
      </div>
      <Tabs
        label="Parts of the answer"
        tabs={[
          { id: 'preview', title: 'Preview' },
          { id: 'headers', title: 'Headers', count: answer.headers.length },
        ]}
        value={tab}
        onChange={setTab}
      >
        {tab === 'preview' ? <Preview answer={answer} auth={auth} /> : <Headers answer={answer} />}
      </Tabs>
    </div>
  );
}

const toneOf = (status: number): Tone => (status < 300 ? 'ok' : status < 400 ? 'run' : status < 500 ? 'warn' : 'bad');

function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function TraceLink({ trace }: { trace: Call['trace'] }) {
  if (!trace || trace.state === 'none') return null;
  if (trace.state !== 'found') return <span>Looking for its trace</span>;
  return (
    <ButtonLink look="quiet" icon={Activity} href={`/traces/${trace.id}`}>
      Trace
    </ButtonLink>
  );
}

const Headers = ({ answer }: { answer: Answer }) => (
  <dl className={styles.headers}>
    {answer.headers.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

function Preview({ answer, auth }: { answer: Answer; auth: Auth }) {
  const { text, blob, contentType, isDone, bytes } = answer;
  const json = useMemo(
    () => (isDone && contentType.includes('json') ? parseJson(text) : undefined),
    [isDone, contentType, text],
  );
  if (blob) return <BlobView blob={blob} contentType={contentType} />;
  if (bytes === 0 && isDone) return <Empty title="The answer has no body" />;
  if (json !== undefined) {
    const item = streamItemOf(json.value);
    return (
      <div className={styles.json}>
        {item ? (
          <LiveItem first={json.value} item={item} auth={auth} />
        ) : (
          <JsonView value={json.value} what="the body" />
        )}
      </div>
    );
  }
  return (
    <div className={styles.textBox}>
      <div className={styles.copy}>
        <Copy text={text} what="the body" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <pre className={styles.text} tabIndex={0}>
        {text}
        {!isDone && <span className={styles.caret} aria-hidden />}
      </pre>
      {text.length >= LONGEST_TEXT && <p className={styles.note}>The rest is not shown.</p>}
    </div>
  );
}

/** What is no text: a picture, or something to keep. */
function BlobView({ blob, contentType }: { blob: Blob; contentType: string }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  if (url === undefined) return null;
  return (
    <div className={styles.blob}>
      {contentType.startsWith('image/') && <img src={url} alt="The answer" />}
      <a href={url} download="answer">
        <Download size={14} aria-hidden /> Download {sizeText(blob.size)} of {contentType}
      </a>
    </div>
  );
}
