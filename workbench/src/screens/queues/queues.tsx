/** What waits: subscriptions, events whose attempts are used up, and events whose time has not come. */
import { useLocation, useRoute } from 'wouter';
import { EVERY, useApi } from '../../api/hooks.ts';
import type { QueueStatus } from '../../api/types.ts';
import { fromPart } from '../../lib/path-part.ts';
import { Column, Screen, Split } from '../../ui/screen.tsx';
import { type Tab, Tabs } from '../../ui/tabs.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { EmitPanel } from './emit-panel.tsx';
import { EventPanel } from './event-panel.tsx';
import { Scheduled } from './scheduled.tsx';
import { Subscriptions } from './subscriptions.tsx';

type TabId = 'subscriptions' | 'dead-letters' | 'scheduled';

export default function Queues() {
  const [, params] = useRoute('/queues/:tab?/*?');
  const [, navigate] = useLocation();
  const queues = useApi<QueueStatus[]>('/queues', { every: EVERY.live });
  const parts = (params?.['*'] ?? '').split('/').filter(Boolean).map(fromPart);
  const wanted = params?.tab ?? 'subscriptions';
  const tab: TabId = wanted === 'dead-letters' || wanted === 'scheduled' ? wanted : 'subscriptions';
  /** What is open in the tab itself. */
  const open = wanted === tab ? parts : [];
  // Dead letters are counted for each step, and steps may have several subscriptions.
  const dead = [...new Map((queues.data ?? []).map(({ step, dead }) => [step, dead])).values()];
  const tabs: Tab<TabId>[] = [
    { id: 'subscriptions', title: 'Subscriptions' },
    { id: 'dead-letters', title: 'Dead letters', count: dead.reduce((sum, one) => sum + one, 0) },
    { id: 'scheduled', title: 'Scheduled' },
  ];
  const close = () => navigate(`/queues/${tab}`);
  return (
    <Screen testId="queues-container">
      <Split>
        <Column>
          <Tabs label="Queues" tabs={tabs} value={tab} onChange={(id) => navigate(`/queues/${id}`)}>
            <Screen>
              {tab === 'subscriptions' && <Subscriptions queues={queues} step={open[0]} topic={open[1]} />}
              {tab === 'dead-letters' && <DeadLetters id={open[0]} />}
              {tab === 'scheduled' && <Scheduled id={open[0]} />}
            </Screen>
          </Tabs>
        </Column>
        {wanted === 'emit' && <EmitPanel topic={parts[0] ?? ''} onClose={close} />}
        {wanted === 'events' && <EventPanel id={parts[0] ?? ''} onClose={close} />}
      </Split>
    </Screen>
  );
}
