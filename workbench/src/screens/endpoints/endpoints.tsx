/** The routes of the app, by flow, and a place to call them. */
import { Send } from 'lucide-react';
import { useMemo } from 'react';
import { useRoute } from 'wouter';
import { useSteps } from '../../api/hooks.ts';
import type { StepEntry } from '../../api/types.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { EndpointDetail } from './endpoint-detail.tsx';
import { EndpointList } from './endpoint-list.tsx';
import styles from './endpoints.module.css';

export default function Endpoints() {
  const [, params] = useRoute('/endpoints/:step?');
  const [{ text }, setState] = useUrlState('text');
  const { data, error, isLoading, refetch } = useSteps();
  const endpoints = useMemo(() => (data?.steps ?? NONE).filter(({ type }) => type === 'api'), [data]);
  if (isLoading) return <Loading label="Loading the endpoints" />;
  if (error && !data) return <ErrorState error={error} what="The endpoints could not be read" onRetry={refetch} />;
  if (endpoints.length === 0) return <NoEndpoints />;
  const chosen = endpoints.find(({ id }) => id === params?.step);
  return (
    <div className={styles.split} data-open={chosen !== undefined || undefined}>
      <EndpointList endpoints={endpoints} text={text} onText={(text) => setState({ text })} selected={chosen?.id} />
      {chosen ? (
        <EndpointDetail key={chosen.id} step={chosen} />
      ) : params?.step === undefined ? (
        <Empty icon={Send} title="Choose an endpoint">
          <p>
            Its request is put together from what the step says about itself: parameters, headers and an example of the
            body.
          </p>
        </Empty>
      ) : (
        <Empty icon={Send} title={`There is no endpoint ${params.step}`}>
          <p>No api step that is served has this name. Has it been renamed, or does its file not load?</p>
        </Empty>
      )}
    </div>
  );
}

const NONE: readonly StepEntry[] = [];

const NoEndpoints = () => (
  <Empty icon={Send} title="There are no endpoints yet">
    <p>An endpoint is a step of the type api. Save this one, and call it from here:</p>
    <pre>{`// src/hello.step.ts
export const config = {
  type: 'api', name: 'Hello', method: 'GET', path: '/hello',
  flows: ['hello'], emits: [],
};
export const handler = async () => ({ status: 200, body: { hello: 'world' } });`}</pre>
  </Empty>
);
