/** Who the request says that one is: the header is made from this, for all endpoints. */
import { Segments } from '../../ui/filters.tsx';
import type { Auth } from './draft.ts';
import styles from './fields.module.css';

const KINDS = [
  { value: 'none', title: 'None' },
  { value: 'bearer', title: 'Bearer token' },
  { value: 'basic', title: 'Basic' },
];
const FIRST: Record<string, Auth> = {
  none: { kind: 'none' },
  bearer: { kind: 'bearer', token: '' },
  basic: { kind: 'basic', user: '', password: '' },
};

export function AuthEditor({ auth, onChange }: { auth: Auth; onChange: (auth: Auth) => void }) {
  return (
    <div className={styles.fields}>
      <div className={styles.row}>
        <Segments
          label="Kind of authorization"
          value={auth.kind}
          options={KINDS}
          onChange={(kind) => onChange(FIRST[kind] ?? { kind: 'none' })}
        />
      </div>
      {auth.kind === 'bearer' && (
        <Field name="Token" secret value={auth.token} onChange={(token) => onChange({ kind: 'bearer', token })} />
      )}
      {auth.kind === 'basic' && (
        <>
          <Field name="User" value={auth.user} onChange={(user) => onChange({ ...auth, user })} />
          <Field
            name="Password"
            secret
            value={auth.password}
            onChange={(password) => onChange({ ...auth, password })}
          />
        </>
      )}
      <p className={styles.hint}>
        {auth.kind === 'none'
          ? 'Requests are sent without authorization, unless a header says it.'
          : 'It is kept for this tab only, and is the same for all endpoints.'}
      </p>
    </div>
  );
}

function Field({
  name,
  value,
  secret = false,
  onChange,
}: {
  name: string;
  value: string;
  /** Not shown as it is typed. */
  secret?: boolean;
  onChange: (value: string) => void;
}) {
  return (
    <label className={styles.row}>
      <span className={styles.name}>{name}</span>
      <input
        type={secret ? 'password' : 'text'}
        autoComplete="off"
        value={value}
        onChange={({ target }) => onChange(target.value)}
      />
    </label>
  );
}
