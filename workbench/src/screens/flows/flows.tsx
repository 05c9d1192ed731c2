/** The steps of a flow as a graph that lives: what leads where, what runs, what fails, what waits. */
import { LayoutDashboard, Workflow } from 'lucide-react';
import { useMemo } from 'react';
import { Redirect, useLocation, useRoute } from 'wouter';
import { useSteps } from '../../api/hooks.ts';
import type { StepEntry } from '../../api/types.ts';
import { flowsOfStep, flowTitle, NO_FLOW } from '../../lib/flow-names.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { Button } from '../../ui/button.tsx';
import { FilterBar } from '../../ui/filters.tsx';
import { Menu } from '../../ui/menu.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Canvas } from './canvas.tsx';
import styles from './flows.module.css';
import { edgesOf, type FlowSummary, flowsOf } from './graph.ts';
import { LoadsRenewed, useFollowPulses } from './live.ts';
import { arrange } from './placing.ts';
import { StepPanel } from './step-panel.tsx';
import { useSavedPlaces } from './use-saved-places.ts';

const LAST_KEY = 'motia-workbench-flow';
const flowHref = (flow: string): string => `/flows/${encodeURIComponent(flow)}`;

export default function Flows() {
  const [, params] = useRoute('/flows/:flow?');
  const { data, error, isLoading, refetch } = useSteps();
  const steps = data?.steps ?? NONE;
  const flows = useMemo(() => flowsOf(steps), [steps]);
  if (isLoading) return <Loading label="Loading the flows" />;
  if (error && !data) return <ErrorState error={error} what="The flows could not be read" onRetry={refetch} />;
  if (flows.length === 0) return <NoSteps />;
  const flow = params?.flow;
  if (flow === undefined) {
    const last = localStorage.getItem(LAST_KEY);
    const first = flows.find(({ id }) => id === last) ?? flows[0];
    return <Redirect to={flowHref(first?.id ?? '')} replace />;
  }
  if (!flows.some(({ id }) => id === flow)) return <NoSuchFlow flow={flow} flows={flows} />;
  localStorage.setItem(LAST_KEY, flow);
  return <Flow key={flow} flow={flow} flows={flows} all={steps} custom={data?.nodeComponents ?? NO_NAMES} />;
}

const NONE: readonly StepEntry[] = [];
const NO_NAMES: readonly string[] = [];

interface FlowProps {
  flow: string;
  flows: readonly FlowSummary[];
  all: readonly StepEntry[];
  /** Ids of the steps that a component of the project shows. */
  custom: readonly string[];
}

function Flow({ flow, flows, all, custom }: FlowProps) {
  const [{ step: selected, view }, setState] = useUrlState('step', 'view');
  const steps = useMemo(() => all.filter((step) => flowsOfStep(step).includes(flow)), [all, flow]);
  const { places, save, isKept } = useSavedPlaces(flow);
  useFollowPulses();
  const step = steps.find(({ id }) => id === selected);
  const arrangeAll = () => {
    const fresh = arrange(steps, edgesOf(steps));
    save(Object.fromEntries(steps.map(({ id, file }) => [file, { x: 0, y: 0, ...fresh.get(id) }])));
  };
  return (
    <>
      <FilterBar
        end={
          <>
            {flow === NO_FLOW && (
              <span>
                A step is in the flows that its config names: <code>flows: ['orders']</code>
              </span>
            )}
            {!isKept && <span>Places are kept in this page only</span>}
            <Button look="quiet" icon={LayoutDashboard} onClick={arrangeAll}>
              Arrange
            </Button>
          </>
        }
      >
        <Menu
          label="Flow"
          value={flowTitle(flow)}
          testId="flows-dropdown-trigger"
          hooks={{ list: 'flows-dropdown', item: 'flow-link' }}
          items={flows.map(({ id, steps }) => ({
            id,
            title: flowTitle(id),
            detail: `${steps} ${steps === 1 ? 'step' : 'steps'}`,
            href: flowHref(id),
            testId: `dropdown-${id}`,
          }))}
        />
        <Legend />
      </FilterBar>
      <LoadsRenewed />
      <div className={styles.split}>
        {places && (
          <Canvas
            flow={flow}
            steps={steps}
            saved={places}
            onSave={save}
            custom={custom}
            selected={step?.id}
            onSelect={(id) => setState({ step: id, view: '' })}
            onSource={(id) => setState({ step: id, view: 'source' })}
          />
        )}
        {step && (
          <StepPanel
            key={step.id}
            step={step}
            isSource={view === 'source'}
            onView={(view) => setState({ view: view === 'source' ? view : '' })}
            onClose={() => setState({ step: '', view: '' })}
          />
        )}
      </div>
    </>
  );
}

const KINDS = [
  ['api', 'API'],
  ['event', 'Event'],
  ['cron', 'Cron'],
  ['noop', 'Not code'],
] as const;

const Legend = () => (
  <ul className={styles.legend} aria-label="Kinds of steps">
    {KINDS.map(([kind, title]) => (
      <li key={kind}>
        <span className={styles.dot} style={{ background: `var(--kind-${kind})` }} aria-hidden /> {title}
      </li>
    ))}
  </ul>
);

const NoSteps = () => (
  <Empty icon={Workflow} title="There are no steps yet">
    <p>A step is a file with a config and a handler. Save this one, and its graph is drawn here:</p>
    <pre>{STEP_EXAMPLE}</pre>
  </Empty>
);

const STEP_EXAMPLE = `// src/hello.step.ts
export const config = {
  type: 'api', name: 'Hello', method: 'GET', path: '/hello',
  flows: ['hello'], emits: [],
};
export const handler = async () => ({ status: 200, body: 'hello' });`;

function NoSuchFlow({ flow, flows }: { flow: string; flows: readonly FlowSummary[] }) {
  const [, navigate] = useLocation();
  return (
    <Empty
      icon={Workflow}
      title={`There is no flow ${flow}`}
      action={
        <div className={styles.choices}>
          {flows.map(({ id }) => (
            <Button key={id} onClick={() => navigate(flowHref(id))}>
              {flowTitle(id)}
            </Button>
          ))}
        </div>
      }
    >
      <p>No step that is served names it in its flows. These are there:</p>
    </Empty>
  );
}
