/** The endpoints by their flow. One in two flows is there twice. */
import { Link } from 'wouter';
import type { StepEntry } from '../../api/types.ts';
import { byFlow, flowsOfStep, flowTitle } from '../../lib/flow-names.ts';
import { useWithSearch } from '../../lib/url-state.ts';
import { SearchField } from '../../ui/filters.tsx';
import styles from './endpoint-list.module.css';
import { Method } from './method.tsx';

interface Props {
  endpoints: readonly StepEntry[];
  text: string;
  onText: (text: string) => void;
  /** Id of the one that is open. */
  selected: string | undefined;
}

export function EndpointList({ endpoints, text, onText, selected }: Props) {
  const withSearch = useWithSearch();
  const wanted = text.toLowerCase();
  const groups = new Map<string, StepEntry[]>();
  for (const step of endpoints) {
    if (!`${step.method} ${step.path} ${step.name}`.toLowerCase().includes(wanted)) continue;
    for (const flow of flowsOfStep(step)) {
      groups.set(flow, [...(groups.get(flow) ?? []), step]);
    }
  }
  return (
    <nav aria-label="Endpoints" className={styles.list} data-testid="endpoints-list">
      <div className={styles.search}>
        <SearchField label="Search method, path or name" value={text} onChange={onText} />
      </div>
      {groups.size === 0 && <p className={styles.none}>No endpoint has that in its method, path or name.</p>}
      {[...groups]
        .sort(([a], [b]) => byFlow(a, b))
        .map(([flow, steps]) => (
          <section key={flow} data-testid={`flow-group-${flow}`} aria-label={flowTitle(flow)}>
            <h2 className={styles.flow}>{flowTitle(flow)}</h2>
            <ul>
              {steps.map(({ id, method = '', path = '', name }) => (
                <li key={id}>
                  <Link
                    href={withSearch(`/endpoints/${encodeURIComponent(id)}`)}
                    className={styles.endpoint}
                    aria-current={id === selected ? 'page' : undefined}
                    title={name}
                    data-testid={`endpoint-${method}-${path}`}
                  >
                    <Method name={method} />
                    <span className={styles.path}>{path}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
    </nav>
  );
}
