/** Sends something to whoever follows a group, or one item of it: heard now, or not at all. */
import { Send } from 'lucide-react';
import { useState } from 'react';
import { useAction } from '../../api/use-action.ts';
import { parseText } from '../../lib/json-text.ts';
import { toPart } from '../../lib/path-part.ts';
import { Button } from '../../ui/button.tsx';
import { CodeEditor } from '../../ui/code/code-editor.tsx';
import { Buttons, EditorField, Form, TextField } from '../../ui/fields.tsx';
import { Panel } from '../../ui/panel.tsx';
import { nameText } from '../states/name-text.ts';
import { itemPath, type Place } from './item-panel.tsx';

interface Props extends Place {
  /** Only to who follows this item, or its group. */
  id: string | undefined;
  onClose: () => void;
}

export function SendPanel({ stream, group, id, onClose }: Props) {
  const [type, setType] = useState('');
  const [data, setData] = useState('{}');
  const [wrong, setWrong] = useState<{ type?: string; data?: string }>({});
  const { act, isBusy } = useAction();
  const to = id === undefined ? nameText(group) : `${nameText(group)}, ${nameText(id)}`;
  const base =
    id === undefined ? `/streams/${toPart(stream)}/groups/${toPart(group)}` : itemPath({ stream, group }, id);
  const submit = () => {
    const parsed = parseText(data);
    setWrong({
      ...(type === '' && { type: 'Clients listen to a type: say which.' }),
      ...(parsed.error !== undefined && { data: parsed.error }),
    });
    if (type === '' || parsed.error !== undefined) return;
    void act({ path: `${base}/events`, body: { type, data: parsed.value } }, `${type} was sent to ${to}`);
  };
  return (
    <Panel label={`Send to ${to}`} title={`Send to ${to}`} onClose={onClose}>
      <Form onSubmit={submit}>
        <TextField
          label="Type"
          value={type}
          error={wrong.type}
          hint="What clients listen to, as onEvent('typing', …) does."
          onChange={({ target }) => setType(target.value)}
        />
        <EditorField label="Data" error={wrong.data}>
          <CodeEditor label="Data" language="json" value={data} onChange={setData} />
        </EditorField>
        <Buttons>
          <Button look="primary" icon={Send} type="submit" disabled={isBusy}>
            Send
          </Button>
        </Buttons>
      </Form>
    </Panel>
  );
}
