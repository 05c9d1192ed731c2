/** What was sent to an endpoint from this browser: chosen again, it is in the fields. */
import { Trash2 } from 'lucide-react';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty } from '../../ui/states.tsx';
import { Duration, Time } from '../../ui/text.tsx';
import styles from './history-panel.module.css';
import type { Sent } from './store.ts';

interface Props {
  sent: readonly Sent[];
  onChoose: (sent: Sent) => void;
  onClear: () => void;
  onClose: () => void;
}

export function HistoryPanel({ sent, onChoose, onClear, onClose }: Props) {
  const clear = sent.length > 0 && (
    <Button look="quiet" icon={Trash2} onClick={onClear}>
      Clear
    </Button>
  );
  return (
    <Panel label="History" title="History" onClose={onClose} width={360} actions={clear}>
      {sent.length === 0 ? (
        <Empty title="Nothing sent yet">
          <p>Each request that you send is kept in this browser, without its files and credentials.</p>
        </Empty>
      ) : (
        <ol className={styles.list}>
          {sent.map((one) => (
            <li key={one.at}>
              <button type="button" onClick={() => onChoose(one)}>
                <span className={styles.line}>
                  <Badge tone={one.status < 400 ? 'ok' : 'bad'}>{one.status}</Badge>
                  <Duration ms={one.ms} />
                  <Time at={one.at} />
                </span>
                <code className={styles.text}>{summaryOf(one)}</code>
              </button>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function summaryOf({ draft: { path, query, text, bodyKind } }: Sent): string {
  const values = [
    ...Object.values(path),
    ...query.filter(({ isOn }) => isOn).map(({ name, value }) => `${name}=${value}`),
  ];
  const body = bodyKind === 'json' || bodyKind === 'text' ? text.replace(/\s+/g, ' ') : '';
  return [...values, body].filter(Boolean).join(' ').slice(0, 200) || 'without parameters';
}
