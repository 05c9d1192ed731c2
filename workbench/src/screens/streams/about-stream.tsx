/** What a stream is, and how clients follow it. */
import { Lock } from 'lucide-react';
import type { StreamStatus } from '../../api/types.ts';
import { Badge } from '../../ui/badge.tsx';
import { FilterBar } from '../../ui/filters.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Section } from '../../ui/panel.tsx';
import { Copy } from '../../ui/text.tsx';
import styles from './streams.module.css';

export function AboutStream({ stream }: { stream: StreamStatus }) {
  const { name, language, file, schema, guarded, clients } = stream;
  const curl = `curl -N ${window.location.origin}/__motia/streams/${encodeURIComponent(name)}/<group>`;
  return (
    <>
      <FilterBar>
        <strong>{name}</strong>
        {guarded && (
          <Badge tone="warn">
            <Lock size={11} aria-hidden /> guarded
          </Badge>
        )}
      </FilterBar>
      <div className={styles.about}>
        <Section title="About it">
          <Facts
            facts={[
              ['File', <code key="file">{file}</code>],
              ['Language', language],
              [
                'Clients',
                clients !== undefined && `${clients.toLocaleString()} follow something of it at this gateway`,
              ],
              ['Who may follow', guarded ? 'whom canAccess of its file lets in' : 'everyone who reaches the gateway'],
            ]}
          />
        </Section>
        <Section title="Follow it" actions={<Copy what="the command" text={curl} />}>
          <pre className={styles.command}>{curl}</pre>
        </Section>
        {schema !== undefined && (
          <Section title="Schema of an item">
            <JsonView value={schema} what="the schema" />
          </Section>
        )}
      </div>
    </>
  );
}
