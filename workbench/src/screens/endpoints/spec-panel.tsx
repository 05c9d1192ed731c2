/** What a step says about its endpoint: parameters, body, answers. */
import type { StepEntry } from '../../api/types.ts';
import { Badge } from '../../ui/badge.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Facts, Panel, Section } from '../../ui/panel.tsx';
import { variablesOf } from './draft.ts';
import { exampleOf } from './example.ts';

export function SpecPanel({ step, onClose }: { step: StepEntry; onClose: () => void }) {
  const { queryParams = [], bodySchema, responseSchema = {} } = step;
  const variables = variablesOf(step);
  return (
    <Panel label={`Spec of ${step.name}`} title={step.name} onClose={onClose} width={440}>
      <Section title="Route">
        <Facts
          facts={[
            ['Method', step.method],
            ['Path', <code key="path">{step.path}</code>],
            ['Description', step.description],
            ['File', <code key="file">{step.file}</code>],
          ]}
        />
      </Section>
      {variables.length > 0 && (
        <Section title="Path">
          <Facts facts={variables.map(({ name, isOptional }) => [name, isOptional ? 'optional' : 'required'])} />
        </Section>
      )}
      {queryParams.length > 0 && (
        <Section title="Query">
          <Facts facts={queryParams.map(({ name, description }) => [name, description])} />
        </Section>
      )}
      {bodySchema && (
        <>
          <Section title="Body, for example">
            <JsonView value={exampleOf(bodySchema)} what="the example" />
          </Section>
          <Section title="Schema of the body">
            <JsonView value={bodySchema} what="the schema" />
          </Section>
        </>
      )}
      {Object.entries(responseSchema).map(([status, schema]) => (
        <Section key={status} title={`Answer ${status}`} actions={<Badge>{status}</Badge>}>
          <JsonView value={exampleOf(schema)} what="the example" />
        </Section>
      ))}
      {variables.length + queryParams.length + Object.keys(responseSchema).length === 0 && !bodySchema && (
        <Section title="Nothing more is told">
          <p>
            With <code>bodySchema</code>, <code>queryParams</code> and <code>responseSchema</code> in its config, a step
            tells what it takes and answers.
          </p>
        </Section>
      )}
    </Panel>
  );
}
