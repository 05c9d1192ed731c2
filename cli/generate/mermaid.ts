/** A flow as a Mermaid diagram: its steps, and the topics between them. Pure. */
import type { EmitEntry, StepEntry } from '../../shared/steps/manifest.ts';

const SHAPES: Readonly<Record<StepEntry['type'], readonly [string, string]>> = {
  api: ['[/', '/]'],
  event: ['[', ']'],
  cron: ['([', '])'],
  noop: ['{{', '}}'],
};

/** The flows that the steps name, sorted. */
export function flowNames(steps: readonly StepEntry[]): string[] {
  return [...new Set(steps.flatMap(({ flows }) => flows))].sort();
}

/** The diagram of one flow. Dashed lines are `virtualEmits` and `virtualSubscribes`, which decorate only. */
export function flowDiagram(flow: string, steps: readonly StepEntry[]): string {
  const members = steps.filter(({ flows }) => flows.includes(flow));
  const ids = new Map(members.map((step, index) => [step, `s${index}`]));
  const nodes = members.map((step) => {
    const [open, close] = SHAPES[step.type];
    return `  ${ids.get(step)}${open}"${escaped(label(step))}"${close}`;
  });
  const edges = members.flatMap((from) =>
    members.flatMap((to) => [
      ...from.emits.filter(({ topic }) => to.subscribes?.includes(topic)).map((emit) => edge(from, '-->', emit, to)),
      ...[...from.emits, ...from.virtualEmits]
        .filter((emit) => to.virtualSubscribes.includes(emit.topic) || isVirtual(from, emit, to))
        .map((emit) => edge(from, '-.->', emit, to)),
    ]),
  );
  return `${['flowchart LR', ...nodes, ...edges].join('\n')}\n`;

  function edge(from: StepEntry, line: string, { topic, label }: EmitEntry, to: StepEntry): string {
    return `  ${ids.get(from)} ${line}|"${escaped(label ?? topic)}"| ${ids.get(to)}`;
  }
}

function isVirtual(from: StepEntry, emit: EmitEntry, to: StepEntry): boolean {
  return from.virtualEmits.includes(emit) && to.subscribes?.includes(emit.topic) === true;
}

function label({ name, type, method, path, cron }: StepEntry): string {
  if (type === 'api') return `${name}\n${method} ${path}`;
  return type === 'cron' ? `${name}\n${cron}` : name;
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('\n', '<br/>');
