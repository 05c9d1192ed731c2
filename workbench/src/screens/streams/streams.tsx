/** Realtime streams: their groups, the items as clients see them, live, and what is sent to them. */
import { RadioTower } from 'lucide-react';
import { useLocation, useRoute } from 'wouter';
import { EVERY, useApi } from '../../api/hooks.ts';
import type { StreamStatus } from '../../api/types.ts';
import { fromPart } from '../../lib/path-part.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { Column, Screen, Split } from '../../ui/screen.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { AboutStream } from './about-stream.tsx';
import { GroupView } from './group-view.tsx';
import { ItemPanel } from './item-panel.tsx';
import { NewItem } from './new-item.tsx';
import { SendPanel } from './send-panel.tsx';
import { StreamList, streamHref } from './stream-list.tsx';

export default function Streams() {
  const [, params] = useRoute('/streams/:stream?/:group?/:id?');
  const [{ panel }] = useUrlState('panel');
  const [, navigate] = useLocation();
  const { data: streams, error, refetch } = useApi<StreamStatus[]>('/streams', { every: EVERY.live });
  if (error && !streams) return <ErrorState error={error} what="Streams could not be read" onRetry={refetch} />;
  if (!streams) return <Loading label="Loading streams" />;
  if (streams.length === 0) return <NoStreams />;
  const nameOf = (part: string | undefined) => (part === undefined ? undefined : fromPart(part));
  const [name, group, id] = [nameOf(params?.stream), nameOf(params?.group), nameOf(params?.id)];
  const stream = streams.find((one) => one.name === name);
  const place = stream && group !== undefined ? { stream: stream.name, group } : undefined;
  const close = () => place && navigate(streamHref(place.stream, place.group));
  return (
    <Screen testId="streams-container">
      <Split>
        <Column width={240}>
          <StreamList streams={streams} stream={name} group={group} />
        </Column>
        <Column>
          {place ? (
            <GroupView key={`${place.stream} ${place.group}`} {...place} selected={id} />
          ) : stream ? (
            <AboutStream stream={stream} />
          ) : (
            <Empty icon={RadioTower} title={name === undefined ? 'Choose a stream' : `There is no stream “${name}”`}>
              <p>Its groups come from what is stored; each shows its items as clients see them.</p>
            </Empty>
          )}
        </Column>
        {place && panel === 'new' && <NewItem {...place} onClose={close} />}
        {place && panel === 'send' && <SendPanel {...place} id={id} onClose={close} />}
        {place && panel === '' && id !== undefined && <ItemPanel key={id} {...place} id={id} onClose={close} />}
      </Split>
    </Screen>
  );
}

const EXAMPLE = `// src/todo.stream.ts
export const config = {
  name: 'todo',
  schema: z.object({ text: z.string() }),
  baseConfig: { storageType: 'default' },
};`;

const NoStreams = () => (
  <Empty icon={RadioTower} title="The app has no streams yet">
    <p>A stream is a collection of items that clients follow: a page shows each change as it happens.</p>
    <pre>{EXAMPLE}</pre>
  </Empty>
);
