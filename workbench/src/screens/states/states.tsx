/** Values that steps share: groups, the keys of one, and a value to look at and change; or all that one trace touched. */
import { Database, Plus } from 'lucide-react';
import { useLocation, useRoute } from 'wouter';
import { fromPart, toPart } from '../../lib/path-part.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { ButtonLink } from '../../ui/button.tsx';
import { Column, Screen, Split } from '../../ui/screen.tsx';
import { Empty } from '../../ui/states.tsx';
import { Groups } from './groups.tsx';
import { Keys } from './keys.tsx';
import { NewValue } from './new-value.tsx';
import { Touched } from './touched.tsx';
import { ValuePanel } from './value-panel.tsx';

/** Where a group, or a value of it, is shown. */
export const stateHref = (group: string, key?: string): string =>
  ['/states', toPart(group), ...(key === undefined ? [] : [toPart(key)])].join('/');

export default function States() {
  const [, params] = useRoute('/states/:group?/:key?');
  const [{ new: isNew, trace }] = useUrlState('new', 'trace');
  const [, navigate] = useLocation();
  const group = params?.group === undefined ? undefined : fromPart(params.group);
  const key = params?.key === undefined ? undefined : fromPart(params.key);
  const groupHref = group === undefined ? '/states' : stateHref(group);
  const here = trace === '' ? groupHref : `/states?trace=${trace}`;
  return (
    <Screen testId="states-container">
      <Split>
        <Column width={260} label="Groups">
          <Groups selected={trace === '' ? group : undefined} />
        </Column>
        <Column label="Keys">
          {trace !== '' ? (
            <Touched traceId={trace} group={group} name={key} />
          ) : group === undefined ? (
            <NoGroup />
          ) : (
            <Keys key={group} group={group} selected={key} />
          )}
        </Column>
        {isNew !== '' ? (
          <NewValue group={group ?? ''} onClose={() => navigate(here)} />
        ) : (
          group !== undefined &&
          key !== undefined && (
            <ValuePanel key={`${group} ${key}`} group={group} name={key} onClose={() => navigate(here)} />
          )
        )}
      </Split>
    </Screen>
  );
}

const NoGroup = () => (
  <Empty
    icon={Database}
    title="Choose a group"
    action={
      <ButtonLink icon={Plus} href="/states?new=1">
        Add a value
      </ButtonLink>
    }
  >
    <p>State is what steps share, in every language: a value has a group and a key.</p>
    <pre>{`await state.set('orders', '7', { status: 'paid' });`}</pre>
  </Empty>
);
