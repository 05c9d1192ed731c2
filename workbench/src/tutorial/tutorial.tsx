/** The tutorial of a project: shown once by itself, and again by its button in the header. */
import { GraduationCap } from 'lucide-react';
import { lazy, Suspense, useCallback, useState } from 'react';
import { useApp } from '../api/hooks.ts';
import { IconButton } from '../ui/button.tsx';

const Tour = lazy(() => import('./tour.tsx'));

/** As Motia 0.17 has it. */
const CLOSED_KEY = 'motia-tutorial-closed';

/** Nothing, where the project has none. */
export function Tutorial() {
  const hasTutorial = useApp().data?.tutorial ?? false;
  const [isOpen, setOpen] = useState(() => localStorage.getItem(CLOSED_KEY) !== 'true');
  const close = useCallback(() => {
    localStorage.setItem(CLOSED_KEY, 'true');
    setOpen(false);
  }, []);
  if (!hasTutorial) return null;
  return (
    <>
      <IconButton label="Tutorial" icon={GraduationCap} onClick={() => setOpen(true)} data-testid="tutorial-trigger" />
      {isOpen && (
        <Suspense>
          <Tour onClose={close} />
        </Suspense>
      )}
    </>
  );
}
