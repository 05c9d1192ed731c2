/** Adds a value, where there is none. */
import { useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError } from '../../api/client.ts';
import { useChange } from '../../api/hooks.ts';
import { toPart } from '../../lib/path-part.ts';
import { Row, TextField } from '../../ui/fields.tsx';
import { JsonForm } from '../../ui/json-form.tsx';
import { Panel } from '../../ui/panel.tsx';
import { toast } from '../../ui/toast.tsx';
import { nameText } from './name-text.ts';
import { stateHref } from './states.tsx';

export function NewValue({ group: first, onClose }: { group: string; onClose: () => void }) {
  const [group, setGroup] = useState(first);
  const [key, setKey] = useState('');
  const [ttl, setTtl] = useState('');
  const [, navigate] = useLocation();
  const { mutateAsync } = useChange('/state');
  const add = async (value: unknown) => {
    const path = `/state/groups/${toPart(group)}/items/${toPart(key)}`;
    try {
      await mutateAsync({ path, method: 'PUT', query: { ifRevision: 0, ttl }, body: value });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      throw new Error(`${nameText(group)} has a key ${nameText(key)} already: open it to change it.`);
    }
    toast(`${nameText(key)} is stored`);
    navigate(stateHref(group, key));
  };
  const where = (
    <Row>
      <TextField label="Group" value={group} onChange={({ target }) => setGroup(target.value)} />
      <TextField label="Key" value={key} onChange={({ target }) => setKey(target.value)} />
    </Row>
  );
  return (
    <Panel label="Add a value" title="Add a value" onClose={onClose}>
      <JsonForm label="Value" value={{}} version={0} action="Add" isTouched={key !== ''} onSave={add} head={where}>
        <TextField
          label="Goes by itself after (s)"
          type="number"
          min={1}
          value={ttl}
          hint="Empty: it stays."
          onChange={({ target }) => setTtl(target.value)}
        />
      </JsonForm>
    </Panel>
  );
}
