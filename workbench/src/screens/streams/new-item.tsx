/** Adds an item to a group. */
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useChange } from '../../api/hooks.ts';
import { TextField } from '../../ui/fields.tsx';
import { JsonForm } from '../../ui/json-form.tsx';
import { Panel } from '../../ui/panel.tsx';
import { toast } from '../../ui/toast.tsx';
import { nameText } from '../states/name-text.ts';
import { itemPath, type Place } from './item-panel.tsx';
import { streamHref } from './stream-list.tsx';

export function NewItem({ stream, group, onClose }: Place & { onClose: () => void }) {
  const [id, setId] = useState('');
  const [, navigate] = useLocation();
  const { mutateAsync } = useChange('/streams');
  const add = async (body: unknown) => {
    await mutateAsync({ path: itemPath({ stream, group }, id), method: 'PUT', body });
    toast(`${nameText(id)} is stored, and told to who follows the group`);
    navigate(streamHref(stream, group, id));
  };
  return (
    <Panel label="Add an item" title={`Add an item to ${nameText(group)}`} onClose={onClose}>
      <JsonForm
        label="Item"
        value={{}}
        version={0}
        action="Add"
        isTouched={id !== ''}
        onSave={add}
        head={
          <TextField
            label="Id"
            value={id}
            hint="An item that has this id is replaced."
            onChange={({ target }) => setId(target.value)}
          />
        }
      />
    </Panel>
  );
}
