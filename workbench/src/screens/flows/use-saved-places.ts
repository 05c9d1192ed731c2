/** Where people have put the steps of a flow: kept in `motia-workbench.json` of the project, or in this page where that cannot be written. */
import { useMemo, useRef, useState } from 'react';
import { everyByMode, useApi, useApp, useChange } from '../../api/hooks.ts';
import type { FlowLayout } from '../../api/types.ts';
import { toast } from '../../ui/toast.tsx';
import type { Place } from './placing.ts';

type Places = Readonly<Record<string, Place>>;

interface SavedPlaces {
  /** `undefined` until they are known. */
  places: Places | undefined;
  save: (places: Places) => void;
  /** Whether they outlive the page. */
  isKept: boolean;
}

/** After the last change of several. */
const SAVE_AFTER_MS = 300;
const NONE: Places = {};

export function useSavedPlaces(flow: string): SavedPlaces {
  const { data: layouts, error } = useApi<FlowLayout[]>('/flows/layout', { every: everyByMode });
  const isKept = useApp().data?.writable.layout ?? false;
  const change = useChange('/flows/layout');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [ours, setOurs] = useState<{ flow: string; places: Places }>();
  const stored = useMemo(() => layouts?.find(({ id }) => id === flow)?.config ?? NONE, [layouts, flow]);
  const isKnown = layouts !== undefined || error !== null;

  const save = (places: Places) => {
    setOurs({ flow, places });
    if (!isKept) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      change
        .mutateAsync({ path: `/flows/layout/${encodeURIComponent(flow)}`, method: 'PUT', body: { config: places } })
        .then(() => setOurs(undefined))
        .catch((thrown: Error) => toast(`The places could not be saved: ${thrown.message}`, 'bad'));
    }, SAVE_AFTER_MS);
  };
  return { places: isKnown ? (ours?.flow === flow ? ours.places : stored) : undefined, save, isKept };
}
