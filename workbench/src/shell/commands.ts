/** What the palette leads to, worked out of the screens and of what the app has. Pure. */
import type { Steps } from '../api/types.ts';
import { flowsOfStep, flowTitle } from '../lib/flow-names.ts';
import { toPart } from '../lib/path-part.ts';
import { TRACE_ID } from '../lib/trace-id.ts';
import { SCREENS } from '../screens/index.ts';

export interface Command {
  id: string;
  title: string;
  /** Small, beside the title: a kind, a path. */
  detail: string;
  /** Where it leads, in the page. */
  href: string;
}

const MOST = 40;

/** The commands that fit what was typed, the best first. */
export function findCommands(text: string, steps: Steps | undefined): Command[] {
  const wanted = text.trim().toLowerCase();
  if (TRACE_ID.test(wanted)) {
    return [{ id: wanted, title: `Open trace ${wanted}`, detail: 'trace', href: `/traces/${wanted}` }];
  }
  const words = wanted.split(/\s+/).filter(Boolean);
  const all = [...screenCommands(), ...stepCommands(steps)];
  const fits = ({ title, detail }: Command) => {
    const text = `${title} ${detail}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const begins = ({ title }: Command) => (title.toLowerCase().startsWith(wanted) ? 0 : 1);
  return all
    .filter(fits)
    .sort((a, b) => begins(a) - begins(b))
    .slice(0, MOST);
}

const screenCommands = (): Command[] =>
  SCREENS.map(({ id, title, about }) => ({ id, title, detail: about, href: `/${id}` }));

function stepCommands({ steps, streams }: Steps = { steps: [], streams: [] }): Command[] {
  const flows = [...new Set(steps.flatMap(flowsOfStep))];
  const id = encodeURIComponent;
  return [
    ...flows.map((flow) => ({
      id: `flow ${flow}`,
      title: flowTitle(flow),
      detail: 'flow',
      href: `/flows/${id(flow)}`,
    })),
    ...steps.map((step) => ({
      id: `traces ${step.id}`,
      title: step.name,
      detail: `traces of the ${step.type} step`,
      href: `/traces?step=${id(step.id)}`,
    })),
    ...steps
      .filter(({ type }) => type === 'api')
      .map((step) => ({
        id: `endpoint ${step.id}`,
        title: `${step.method} ${step.path}`,
        detail: `endpoint ${step.name}`,
        href: `/endpoints/${id(step.id)}`,
      })),
    ...steps.flatMap(({ id, name, subscribes = [] }) =>
      subscribes.map((topic) => ({
        id: `queue ${id} ${topic}`,
        title: topic,
        detail: `queue of ${name}`,
        href: `/queues/subscriptions/${toPart(id)}/${toPart(topic)}`,
      })),
    ),
    ...steps
      .filter(({ type }) => type === 'cron')
      .map(({ id, name }) => ({ id: `cron ${id}`, title: name, detail: 'schedule', href: `/cron/${toPart(id)}` })),
    ...streams.map(({ name }) => ({
      id: `stream ${name}`,
      title: name,
      detail: 'stream',
      href: `/streams/${toPart(name)}`,
    })),
  ];
}
