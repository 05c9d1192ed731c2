/** The steps of a project's tutorial, as Motia 0.17 has them in `tutorial/tutorial.tsx`, and what is done before one is shown. */
import type { TutorialStep } from '../../../workbench.ts';
import { API } from '../api/address.ts';
import { fillEditor } from '../lib/fill-editor.ts';
import { offer } from '../lib/offered-modules.ts';
import { workbenchXPath } from './xpaths.ts';

/** As long as a screen may take to come. */
const FOUND_WITHIN_MS = 4_000;
/** What may be missing is not waited for. */
const OPTIONAL_WITHIN_MS = 300;
const LOOK_EVERY_MS = 60;

offer({ workbenchXPath });

/** @throws if the file cannot be compiled or run. */
export async function loadTutorial(): Promise<readonly TutorialStep[]> {
  const url = `${API}/tutorial.js?at=${Date.now()}`;
  const { steps }: { steps?: readonly TutorialStep[] } = await import(/* @vite-ignore */ url);
  if (!Array.isArray(steps) || steps.length === 0) throw new Error('tutorial/tutorial.tsx exports no steps');
  return steps;
}

/** Does what comes before a step. @returns the element that it is about, once it is there. */
export async function prepare(step: TutorialStep, signal: AbortSignal): Promise<Element | undefined> {
  for (const action of step.before ?? []) {
    if (action.type === 'click') {
      const within = action.optional ? OPTIONAL_WITHIN_MS : FOUND_WITHIN_MS;
      const element = await find(action.selector, within, signal);
      // Of a row that leads somewhere, its link.
      const target = element?.matches('[role=row]') ? element.querySelector('a') : element;
      if (target instanceof HTMLElement) target.click();
    } else {
      await until(() => fillEditor(JSON.stringify(action.content, null, 2)), FOUND_WITHIN_MS, signal);
    }
  }
  if (step.elementXpath === undefined) return undefined;
  const element = await find(step.elementXpath, FOUND_WITHIN_MS, signal);
  element?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  return element;
}

async function find(xpath: string, ms: number, signal: AbortSignal): Promise<Element | undefined> {
  return until(() => elementAt(xpath), ms, signal);
}

function elementAt(xpath: string): Element | undefined {
  const { singleNodeValue: found } = document.evaluate(xpath, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE);
  return found instanceof Element ? found : undefined;
}

async function until<T>(look: () => T, ms: number, signal: AbortSignal): Promise<T | undefined> {
  for (const end = performance.now() + ms; performance.now() < end && !signal.aborted; ) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return undefined;
}
