/** One item: to read, to change, to delete, and to send something to its followers. */
import { RadioTower, Send, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { EVERY, useApi, useChange, useRemove } from '../../api/hooks.ts';
import type { StreamItem } from '../../api/types.ts';
import { toPart } from '../../lib/path-part.ts';
import { ButtonLink, IconButton } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { JsonForm } from '../../ui/json-form.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Panel, Section } from '../../ui/panel.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { nameText } from '../states/name-text.ts';
import { ownOf } from './items.tsx';
import { streamHref } from './stream-list.tsx';

export interface Place {
  stream: string;
  group: string;
}

interface Props extends Place {
  id: string;
  onClose: () => void;
}

/** An item in the admin API. */
export const itemPath = ({ stream, group }: Place, id: string): string =>
  `/streams/${toPart(stream)}/groups/${toPart(group)}/items/${toPart(id)}`;

const TABS = [
  { id: 'item', title: 'Item' },
  { id: 'edit', title: 'Edit' },
] as const;

export function ItemPanel({ stream, group, id, onClose }: Props) {
  const path = itemPath({ stream, group }, id);
  const [isAsked, setAsked] = useState(false);
  // What is about to be deleted is not asked for again: it may be gone before the panel is.
  const { data: item, error, refetch } = useApi<StreamItem>(path, { every: () => (isAsked ? undefined : EVERY.live) });
  const { mutateAsync } = useChange('/streams');
  const remove = useRemove('/streams');
  const [tab, setTab] = useState<'item' | 'edit'>('item');
  const isGone = error?.status === 404;
  const save = async (body: unknown) => {
    await mutateAsync({ path, method: 'PUT', body });
    toast('Saved, and told to who follows it');
  };
  const confirm = async () => {
    await remove([path], onClose);
    toast(`${nameText(id)} is gone`);
  };
  return (
    <Panel
      label={`Item ${nameText(id)}`}
      title={nameText(id)}
      actions={
        <>
          <ButtonLink icon={Send} href={`${streamHref(stream, group, id)}?panel=send`}>
            Send
          </ButtonLink>
          {item && !isGone && <IconButton label="Delete" icon={Trash2} onClick={() => setAsked(true)} />}
        </>
      }
      onClose={onClose}
    >
      {isGone ? (
        <Empty icon={RadioTower} title="The item is not there (any more)" />
      ) : error && !item ? (
        <ErrorState error={error} what="The item could not be read" onRetry={refetch} />
      ) : !item ? (
        <Loading label="Loading the item" />
      ) : (
        <Tabs label="Item" tabs={TABS} value={tab} onChange={setTab}>
          {tab === 'item' ? (
            <Section title="As clients get it">
              <JsonView value={item} what="the item" />
            </Section>
          ) : (
            <JsonForm label="New value" value={ownOf(item)} version={JSON.stringify(item)} onSave={save} />
          )}
        </Tabs>
      )}
      {isAsked && (
        <Confirm
          title={`Delete ${nameText(id)}?`}
          action="Delete the item"
          onConfirm={confirm}
          onClose={() => setAsked(false)}
        >
          <p>Whoever follows it is told that it is gone.</p>
        </Confirm>
      )}
    </Panel>
  );
}
