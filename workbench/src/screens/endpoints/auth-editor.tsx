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
        <label className={styles.row}>
          <span className={styles.name}>Token</span>
          <input
            type="password"
            autoComplete="off"
            value={auth.token}
            onChange={({ target }) => onChange({ kind: 'bearer', token: target.value })}
          />
        </label>
      )}
      {auth.kind === 'basic' && (
        <>
          <label className={styles.row}>
            <span className={styles.name}>User</span>
            <input
              type="text"
              autoComplete="off"
              value={auth.user}
              onChange={({ target }) => onChange({ ...auth, user: target.value })}
            />
          </label>
          <label className={styles.row}>
            <span className={styles.name}>Password</span>
            <input
              type="password"
              autoComplete="off"
              value={auth.password}
              onChange={({ target }) => onChange({ ...auth, password: target.value })}
            />
          </label>
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
