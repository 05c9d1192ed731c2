/** Emits an event, as a handler would. */
import { Send } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useChange, useSteps } from '../../api/hooks.ts';
import type { Emitted } from '../../api/types.ts';
import { parseText } from '../../lib/json-text.ts';
import { toPart } from '../../lib/path-part.ts';
import { Button } from '../../ui/button.tsx';
import { CodeEditor } from '../../ui/code/code-editor.tsx';
import { Buttons, EditorField, Form, Row, TextField } from '../../ui/fields.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';

export function EmitPanel({ topic: first, onClose }: { topic: string; onClose: () => void }) {
  const { steps = [] } = useSteps().data ?? {};
  const [fields, setFields] = useState({ topic: first, data: '{}', delay: '', id: '', messageGroupId: '' });
  const [wrong, setWrong] = useState<{ topic?: string; data?: string }>({});
  const emit = useChange<Emitted>('/queues', '/scheduled', '/traces');
  const set = (change: Partial<typeof fields>) => setFields({ ...fields, ...change });
  const topics = [...new Set(steps.flatMap(({ subscribes = [] }) => subscribes))].sort();
  const submit = () => {
    const { topic, data, delay, id, messageGroupId } = fields;
    const parsed = parseText(data);
    setWrong({
      ...(topic === '' && { topic: 'Which topic?' }),
      ...(parsed.error !== undefined && { data: parsed.error }),
    });
    if (topic === '' || parsed.error !== undefined) return;
    const options = {
      ...(delay !== '' && { delay: Number(delay) }),
      ...(id !== '' && { id }),
      ...(messageGroupId !== '' && { messageGroupId }),
    };
    emit.mutate({ path: '/events', body: { topic, data: parsed.value, ...options } });
  };
  return (
    <Panel label="Emit an event" title="Emit an event" onClose={onClose}>
      <Form onSubmit={submit}>
        <TextField
          label="Topic"
          value={fields.topic}
          list="topics"
          error={wrong.topic}
          onChange={({ target }) => set({ topic: target.value })}
        />
        <datalist id="topics">
          {topics.map((topic) => (
            <option key={topic} value={topic} />
          ))}
        </datalist>
        <EditorField label="Data" error={wrong.data}>
          <CodeEditor label="Data" language="json" value={fields.data} onChange={(data) => set({ data })} />
        </EditorField>
        <Row>
          <TextField
            label="Delay (s)"
            type="number"
            min={0}
            value={fields.delay}
            onChange={({ target }) => set({ delay: target.value })}
          />
          <TextField label="Id" value={fields.id} onChange={({ target }) => set({ id: target.value })} />
          <TextField
            label="Message group"
            value={fields.messageGroupId}
            onChange={({ target }) => set({ messageGroupId: target.value })}
          />
        </Row>
        {emit.error && <p role="alert">{emit.error.message}</p>}
        <Buttons>
          <Button look="primary" icon={Send} type="submit" disabled={emit.isPending}>
            Emit
          </Button>
        </Buttons>
      </Form>
      {emit.data && <Outcome emitted={emit.data} />}
    </Panel>
  );
}

function Outcome({ emitted: { eventId, traceId, subscribers, warning } }: { emitted: Emitted }) {
  return (
    <Section title="It is stored">
      <div role="status">
        <Facts
          facts={[
            [
              'Event',
              <Link key="event" href={`/queues/events/${toPart(eventId)}`}>
                {eventId}
              </Link>,
            ],
            [
              'Trace',
              <Link key="trace" href={`/traces/${traceId}`}>
                {traceId}
              </Link>,
            ],
            ['Goes to', subscribers.length > 0 && subscribers.join(', ')],
            ['But', warning],
          ]}
        />
      </div>
    </Section>
  );
}
