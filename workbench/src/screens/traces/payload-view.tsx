/** What was sent or answered, as its span bears it. */

import type { SpanNode } from '../../api/types.ts';
import { parseJson } from '../../lib/json-text.ts';
import { Badge } from '../../ui/badge.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Section } from '../../ui/panel.tsx';
import { Copy } from '../../ui/text.tsx';
import styles from './payload-view.module.css';

type Payload = NonNullable<SpanNode['payload']>;
type Response = NonNullable<SpanNode['response']>;

export function PayloadSections({ span: { payload, response } }: { span: SpanNode }) {
  return (
    <>
      {payload && 'method' in payload && (
        <Section title="Request" actions={<Marks {...payload} />}>
          <p className={styles.route}>
            <code>{`${payload.method} ${payload.path}${payload.query && `?${payload.query}`}`}</code>
          </p>
          <Body {...payload} />
          <HeaderList headers={payload.headers} />
        </Section>
      )}
      {payload && !('method' in payload) && (
        <Section title="Payload" actions={<Marks {...payload} />}>
          <Body {...payload} />
        </Section>
      )}
      {response && <ResponseSection response={response} />}
    </>
  );
}

const ResponseSection = ({ response }: { response: Response }) => (
  <Section title={`Answer ${response.status}`} actions={<Marks {...response} />}>
    <Body {...response} />
    <HeaderList headers={response.headers} />
  </Section>
);

const Marks = ({ truncated, redacted }: Payload | Response) => (
  <span className={styles.marks}>
    {redacted && <Badge tone="warn">secrets are hidden</Badge>}
    {truncated && <Badge tone="warn">not all of it</Badge>}
  </span>
);

function Body({ contentType, bytes, text }: Payload | Response) {
  if (text === undefined) {
    if (bytes === 0) return null;
    return <p className={styles.none}>{`${bytes} bytes of ${contentType || 'an unknown type'}, which are not kept`}</p>;
  }
  if (text === '') return <p className={styles.none}>No body</p>;
  const json = parseJson(text);
  if (json) return <JsonView value={json.value} what="the body" />;
  return (
    <div className={styles.text}>
      <pre>{text}</pre>
      <Copy text={text} what="the body" />
    </div>
  );
}

function HeaderList({ headers }: { headers: Record<string, string> }) {
  const all = Object.entries(headers);
  if (all.length === 0) return null;
  return (
    <details className={styles.headers}>
      <summary>{all.length} headers</summary>
      <Facts facts={all} />
    </details>
  );
}
