/** A page of React components that follow streams with the hooks; the address is the page's fragment. */
import { createElement as h, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  MotiaStreamProvider,
  useConnectionState,
  useMotiaStream,
  useStreamEventHandler,
  useStreamGroup,
  useStreamItem,
} from '../../../stream-client/src/react.ts';

interface Task {
  id: string;
  n: number;
}

function Tasks({ groupId }: { groupId: string }) {
  const [count, setCount] = useState(0);
  const { data, event } = useStreamGroup<Task>({
    streamName: 'board',
    groupId,
    sortKey: 'n',
    setData: (tasks) => setCount(tasks.length),
  });
  const [typed, setTyped] = useState<string[]>([]);
  useStreamEventHandler({ event, type: 'typing', listener: (who: string) => setTyped((before) => [...before, who]) });
  return h(
    'section',
    null,
    h('ul', { id: 'tasks' }, ...data.map(({ id, n }) => h('li', { key: id }, `${id}=${n}`))),
    h('p', { id: 'count' }, count),
    h('p', { id: 'typed' }, typed.join()),
  );
}

function Task({ id }: { id?: string }) {
  const { data } = useStreamItem<Task>(id === undefined ? undefined : { streamName: 'board', groupId: 'g', id });
  return h('p', { id: 'task' }, data ? `${data.id}=${data.n}` : 'none');
}

function App() {
  const [groupId, setGroupId] = useState('g');
  const [isShown, setShown] = useState(true);
  const [id, setId] = useState<string>();
  const { stream } = useMotiaStream();
  const connection = useConnectionState();
  return h(
    'main',
    null,
    h('p', { id: 'connection' }, stream ? connection : 'no stream'),
    h('button', { type: 'button', id: 'other-group', onClick: () => setGroupId('h') }),
    h('button', { type: 'button', id: 'choose', onClick: () => setId('a') }),
    h('button', { type: 'button', id: 'hide', onClick: () => setShown(false) }),
    isShown && h(Tasks, { groupId }),
    isShown && h(Task, id === undefined ? {} : { id }),
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  h(StrictMode, null, h(MotiaStreamProvider, { address: location.hash.slice(1) }, h(App))),
);
