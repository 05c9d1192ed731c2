/** The page as a whole: data, routes, and who may see them. */
import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense } from 'react';
import { Redirect, Route, Router, Switch } from 'wouter';
import { queryClient } from './api/hooks.ts';
import { useIsRefused } from './api/token.ts';
import { SCREENS } from './screens/index.ts';
import { ErrorBoundary } from './shell/error-boundary.tsx';
import { Login } from './shell/login.tsx';
import { NotFound } from './shell/not-found.tsx';
import { Shell } from './shell/shell.tsx';
import { Loading } from './ui/states.tsx';
import { Toasts } from './ui/toast.tsx';

/** Without the slash at its end. */
const BASE = import.meta.env.BASE_URL.replace(/\/$/, '');

export function App() {
  const isRefused = useIsRefused();
  return (
    <QueryClientProvider client={queryClient}>
      <Router base={BASE}>{isRefused ? <Login /> : <Pages />}</Router>
      <Toasts />
    </QueryClientProvider>
  );
}

function Pages() {
  return (
    <Shell>
      <Switch>
        <Route path="/">
          <Redirect to={`/${SCREENS[0]?.id}`} replace />
        </Route>
        {SCREENS.map(({ id, title, Component }) => (
          <Route key={id} path={`/${id}/*?`}>
            <ErrorBoundary key={id} what={title}>
              <Suspense fallback={<Loading />}>
                <Component />
              </Suspense>
            </ErrorBoundary>
          </Route>
        ))}
        <Route>
          <NotFound />
        </Route>
      </Switch>
    </Shell>
  );
}
