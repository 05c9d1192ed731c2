/** One value: to read, to change, and to delete. */
import { KeyRound, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { EVERY, useApi, useChange } from '../../api/hooks.ts';
import type { StateEntry } from '../../api/types.ts';
import { toPart } from '../../lib/path-part.ts';
import { IconButton } from '../../ui/button.tsx';
import { TextField } from '../../ui/fields.tsx';
import { JsonForm } from '../../ui/json-form.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { Empty, ErrorState, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Time } from '../../ui/text.tsx';
import { toast } from '../../ui/toast.tsx';
import { DeleteValues } from './delete-values.tsx';
import { nameText } from './name-text.ts';

interface Props {
  group: string;
  /** Its key. */
  name: string;
  onClose: () => void;
}

const TABS = [
  { id: 'value', title: 'Value' },
  { id: 'edit', title: 'Edit', testId: 'state-edit-tab' },
] as const;

export function ValuePanel({ group, name, onClose }: Props) {
  const path = `/state/groups/${toPart(group)}/items/${toPart(name)}`;
  const [isAsked, setAsked] = useState(false);
  // What is about to be deleted is not asked for again: it may be gone before the panel is.
  const { data: entry, error, refetch } = useApi<StateEntry>(path, { every: () => (isAsked ? undefined : EVERY.live) });
  const [tab, setTab] = useState<'value' | 'edit'>('value');
  const isGone = error?.status === 404;
  return (
    <Panel
      label={`Value of ${nameText(name)}`}
      title={nameText(name)}
      actions={entry && !isGone && <IconButton label="Delete" icon={Trash2} onClick={() => setAsked(true)} />}
      onClose={onClose}
    >
      {isGone ? (
        <Empty icon={KeyRound} title="Nothing is there">
          <p>
            The group <code>{nameText(group)}</code> has no key <code>{nameText(name)}</code> (any more).
          </p>
        </Empty>
      ) : error && !entry ? (
        <ErrorState error={error} what="The value could not be read" onRetry={refetch} />
      ) : !entry ? (
        <Loading label="Loading the value" />
      ) : (
        <Tabs label="Value" tabs={TABS} value={tab} onChange={setTab}>
          {tab === 'value' ? <Shown entry={entry} group={group} /> : <Edited entry={entry} path={path} />}
        </Tabs>
      )}
      {isAsked && <DeleteValues group={group} keys={[name]} onDone={onClose} onClose={() => setAsked(false)} />}
    </Panel>
  );
}

function Shown({ entry: { value, revision, expiresAt }, group }: { entry: StateEntry; group: string }) {
  return (
    <>
      <Section title="Value">
        <JsonView value={value} what="the value" />
      </Section>
      <Section title="About it">
        <Facts
          facts={[
            ['Group', <code key="group">{nameText(group)}</code>],
            ['Revision', revision],
            ['Size', `${(JSON.stringify(value) ?? '').length.toLocaleString()} characters`],
            ['Goes by itself', expiresAt !== undefined && <Time at={expiresAt} />],
          ]}
        />
      </Section>
    </>
  );
}

function Edited({ entry: { value, revision, expiresAt }, path }: { entry: StateEntry; path: string }) {
  const { mutateAsync } = useChange('/state');
  const [ttl, setTtl] = useState<string>();
  const save = async (next: unknown, ifRevision: number | string) => {
    // Without a time the value would stay for ever: what it has left is given again.
    const left = expiresAt === undefined ? undefined : Math.max(1, Math.ceil((expiresAt - Date.now()) / 1_000));
    await mutateAsync({ path, method: 'PUT', query: { ifRevision, ttl: ttl ?? left }, body: next });
    toast('Saved');
  };
  return (
    <JsonForm
      label="New value"
      value={value}
      version={revision}
      isTouched={ttl !== undefined}
      onSave={save}
      onReset={() => setTtl(undefined)}
    >
      <TextField
        label="Goes by itself after (s)"
        type="number"
        min={1}
        value={ttl ?? ''}
        hint={
          expiresAt === undefined ? (
            'Empty: it stays.'
          ) : (
            <>
              Empty: it goes as before, <Time at={expiresAt} />.
            </>
          )
        }
        onChange={({ target }) => setTtl(target.value)}
      />
    </JsonForm>
  );
}
