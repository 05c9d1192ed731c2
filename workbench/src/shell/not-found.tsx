/** For paths that lead to no screen. */
import { Compass } from 'lucide-react';
import { useLocation } from 'wouter';
import { SCREENS } from '../screens/index.ts';
import { ButtonLink } from '../ui/button.tsx';
import { Empty } from '../ui/states.tsx';

export function NotFound() {
  const [path] = useLocation();
  const first = SCREENS[0];
  return (
    <Empty
      icon={Compass}
      title="There is no such screen"
      action={first && <ButtonLink href={`/${first.id}`}>Go to {first.title}</ButtonLink>}
    >
      <p>
        Nothing is at <code>{path}</code>. The link may be of a newer version, or mistyped.
      </p>
    </Empty>
  );
}
