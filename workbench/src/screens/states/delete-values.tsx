/** Asks before values are deleted: some of a group, or all. */
import { useRemove } from '../../api/hooks.ts';
import { toPart } from '../../lib/path-part.ts';
import { Confirm } from '../../ui/dialog.tsx';
import { toast } from '../../ui/toast.tsx';
import { nameText } from './name-text.ts';

interface Props {
  group: string;
  keys: readonly string[];
  onDone: () => void;
  onClose: () => void;
}

export function DeleteValues({ group, keys, onDone, onClose }: Props) {
  const remove = useRemove('/state');
  const what = keys.length === 1 ? nameText(keys[0] ?? '') : `${keys.length} values`;
  const confirm = async () => {
    await remove(
      keys.map((key) => `/state/groups/${toPart(group)}/items/${toPart(key)}`),
      onDone,
    );
    toast(keys.length === 1 ? `${what} is gone` : `${what} are gone`);
  };
  return (
    <Confirm title={`Delete ${what}?`} action={`Delete ${what}`} onConfirm={confirm} onClose={onClose}>
      <p>
        Steps that read {keys.length === 1 ? 'it' : 'them'} from the group <code>{nameText(group)}</code> find nothing
        from then on.
      </p>
    </Confirm>
  );
}

export function ClearGroup({ group, onDone, onClose }: Omit<Props, 'keys'>) {
  const remove = useRemove('/state');
  const name = nameText(group);
  const confirm = async () => {
    await remove([`/state/groups/${toPart(group)}`], onDone);
    toast(`${name} is cleared`);
  };
  return (
    <Confirm title={`Clear the group ${name}?`} action={`Clear ${name}`} onConfirm={confirm} onClose={onClose}>
      <p>All its values go, those as well that are not shown here. Steps that read them find nothing from then on.</p>
    </Confirm>
  );
}
