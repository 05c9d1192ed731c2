/** Asks for the token where the gateway wants one. */
import { KeyRound } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { ApiError, api } from '../api/client.ts';
import { queryClient } from '../api/hooks.ts';
import { setToken } from '../api/token.ts';
import { Button } from '../ui/button.tsx';
import styles from './login.module.css';

export function Login() {
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = String(new FormData(event.currentTarget).get('token') ?? '').trim();
    if (given === '') return setError('Enter the token.');
    setBusy(true);
    try {
      await api('/app', { token: given });
      await queryClient.resetQueries();
      setToken(given);
    } catch (thrown) {
      const isWrong = thrown instanceof ApiError && thrown.status === 401;
      setError(isWrong ? 'This is not the token of this app.' : (thrown as Error).message);
      setBusy(false);
    }
  };
  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={submit} aria-label="Sign in">
        <KeyRound size={26} strokeWidth={1.5} aria-hidden />
        <h1>Workbench</h1>
        <p>
          This app is open to those who have its admin token: the value of <code>MOTIA_ADMIN_TOKEN</code> where the
          gateway runs.
        </p>
        <label>
          Token
          <input
            name="token"
            type="password"
            autoComplete="current-password"
            // biome-ignore lint/a11y/noAutofocus: there is nothing else on the page
            autoFocus
            aria-invalid={error !== undefined}
          />
        </label>
        {error !== undefined && (
          <p role="alert" className={styles.error}>
            {error}
          </p>
        )}
        <Button look="primary" type="submit" disabled={isBusy}>
          Sign in
        </Button>
        <p className={styles.note}>It is kept for this tab only, and forgotten when you close it.</p>
      </form>
    </main>
  );
}
