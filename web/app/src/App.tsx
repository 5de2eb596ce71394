import { SplashView } from '@klatch/views';
import { useEffect } from 'react';
import { paths, type Route } from './router/route';
import { useServices } from './services/services';
import { ResetPage, SignInPage, SignUpPage } from './session/AuthPages';
import { ShellPage } from './shell/ShellPage';
import { useReadable } from './support/useReadable';

/** Where somebody wanted to go who had to sign in first. */
let intended = paths.home();

const outside = new Set<Route['page']>(['signin', 'signup', 'claim', 'reset']);

export function App() {
  const { client, router } = useServices();
  const route = useReadable(router.route);
  const session = useReadable(client.session.state);
  const me = useReadable(client.account.me);
  const isOutside = outside.has(route.page);
  useEffect(() => {
    if (session.state === 'signed-in' && isOutside && route.page !== 'reset') router.replace(intended);
    if (session.state === 'signed-out' && !isOutside) {
      intended = session.reason === 'signed-out' ? paths.home() : location.pathname + location.search;
      router.replace(paths.signIn);
    }
  }, [session, isOutside, route.page, router]);

  if (route.page === 'reset') return <ResetPage token={route.token} />;
  if (session.state === 'unknown') return <SplashView />;
  if (session.state === 'signed-in') {
    return isInside(route) ? <ShellPage route={route} me={me ?? session.user} /> : <SplashView />;
  }
  switch (route.page) {
    case 'signup':
      return <SignUpPage token={route.invite} claim={false} />;
    case 'claim':
      return <SignUpPage token={route.token} claim />;
    case 'signin':
      return <SignInPage session={session} />;
    default:
      return <SplashView />;
  }
}

type Inside = Exclude<Route, { page: 'signin' | 'signup' | 'claim' | 'reset' }>;

function isInside(route: Route): route is Inside {
  return !outside.has(route.page);
}
