/** A step of the graph: what it says about itself, how it fares, where to go from here, and its source. */
import { Activity, ListOrdered, ScrollText, Send } from 'lucide-react';
import type { EmitEntry, StepEntry } from '../../api/types.ts';
import { Badge } from '../../ui/badge.tsx';
import { ButtonLink } from '../../ui/button.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Time } from '../../ui/text.tsx';
import { useLoad } from './live.ts';
import { SourceView } from './source-view.tsx';
import styles from './step-panel.module.css';

interface StepPanelProps {
  step: StepEntry;
  isSource: boolean;
  onView: (view: 'about' | 'source') => void;
  onClose: () => void;
}

export function StepPanel({ step, isSource, onView, onClose }: StepPanelProps) {
  return (
    <Panel
      label={`Step ${step.name}`}
      title={
        <>
          <Badge tone={step.type}>{step.type}</Badge>
          {step.name}
        </>
      }
      onClose={onClose}
      width={640}
    >
      <Tabs
        label="Views of the step"
        tabs={[
          { id: 'about', title: 'Step' },
          { id: 'source', title: 'Source' },
        ]}
        value={isSource ? 'source' : 'about'}
        onChange={onView}
      >
        {isSource ? (
          <div className={styles.source}>
            <SourceView step={step.id} />
          </div>
        ) : (
          <About step={step} />
        )}
      </Tabs>
    </Panel>
  );
}

function About({ step }: { step: StepEntry }) {
  const { activity, waiting, inFlight } = useLoad(step.id);
  const id = encodeURIComponent(step.id);
  const schema = step.bodySchema ?? step.inputSchema;
  return (
    <>
      <Section title="What it is">
        <Facts
          facts={[
            ['Description', step.description],
            ['File', <code key="file">{step.file}</code>],
            ['Flows', step.flows.join(', ')],
            ['Route', step.type === 'api' && <code key="route">{`${step.method} ${step.path}`}</code>],
            ['Schedule', step.type === 'cron' && <code key="cron">{[step.cron, step.timezone].join(' ')}</code>],
            ['Subscribes', step.subscribes && <Topics key="in" topics={step.subscribes} />],
            ['Emits', step.emits.length > 0 && <Topics key="out" topics={step.emits.map(wordOf)} />],
            [
              'Drawn only',
              step.virtualSubscribes.length + step.virtualEmits.length > 0 && (
                <Topics key="virtual" topics={[...step.virtualSubscribes, ...step.virtualEmits.map(wordOf)]} />
              ),
            ],
          ]}
        />
      </Section>
      {step.type !== 'noop' && (
        <Section title="The last five minutes">
          <Facts
            facts={[
              ['Runs', activity?.runs ?? 0],
              [
                'Failed',
                <span key="failed" className={activity?.failed ? styles.failed : ''}>
                  {activity?.failed ?? 0}
                </span>,
              ],
              ['Last run', activity && <Time key="last" at={activity.lastRunAt} />],
              ['Waiting', step.type === 'event' && waiting],
              ['In flight', step.type === 'event' && inFlight],
            ]}
          />
          <div className={styles.links}>
            <ButtonLink icon={Activity} href={`/traces?step=${id}`}>
              Traces
            </ButtonLink>
            <ButtonLink icon={ScrollText} href={`/logs?step=${id}`}>
              Logs
            </ButtonLink>
            {step.type === 'api' && (
              <ButtonLink icon={Send} href={`/endpoints/${id}`}>
                Call it
              </ButtonLink>
            )}
            {step.type === 'event' && (
              <ButtonLink icon={ListOrdered} href={`/queues?step=${id}`}>
                Queue
              </ButtonLink>
            )}
          </div>
        </Section>
      )}
      {step.infrastructure && (
        <Section title="Infrastructure">
          <JsonView value={step.infrastructure} what="the infrastructure" />
        </Section>
      )}
      {schema && (
        <Section title={step.type === 'api' ? 'Body' : 'Input'}>
          <JsonView value={schema} what="the schema" />
        </Section>
      )}
    </>
  );
}

const wordOf = ({ topic, label, conditional }: EmitEntry): string =>
  [topic, label && `(${label})`, conditional && '?'].filter(Boolean).join(' ');

const Topics = ({ topics }: { topics: readonly string[] }) => (
  <span className={styles.topics}>
    {topics.map((topic) => (
      <code key={topic}>{topic}</code>
    ))}
  </span>
);
