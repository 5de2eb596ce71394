import { storeOf, type Store } from '../support/store';
import { parseRoute, type Route } from './route';

export interface Router {
  readonly route: Store<Route>;
  go: (path: string) => void;
  /** Takes the place of the present entry of the history. */
  replace: (path: string) => void;
  back: (fallback: string) => void;
}

/** Routes by the History API; plain clicks on links of this site stay within the page. */
export function createRouter(): Router {
  const here = () => parseRoute(location.pathname + location.search + location.hash);
  const route = storeOf<Route>(here());
  const read = () => route.set(here());
  let depth = 0;

  const go = (path: string) => {
    if (path === location.pathname + location.search) return;
    history.pushState({ depth: (depth += 1) }, '', path);
    read();
  };
  window.addEventListener('popstate', (event) => {
    depth = depthOf(event.state);
    read();
  });
  window.addEventListener('hashchange', read);
  document.addEventListener('click', (event) => {
    const path = pathOfClick(event);
    if (path === null) return;
    event.preventDefault();
    go(path);
  });
  return {
    route,
    go,
    replace: (path) => {
      history.replaceState({ depth }, '', path);
      read();
    },
    back: (fallback) => {
      if (depth > 0) history.back();
      else go(fallback);
    },
  };
}

function depthOf(state: unknown): number {
  if (typeof state !== 'object' || state === null || !('depth' in state)) return 0;
  return typeof state.depth === 'number' ? state.depth : 0;
}

/** The path a plain click on one of our own links leads to. */
function pathOfClick(event: MouseEvent): string | null {
  const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button !== 0 || modified || !(event.target instanceof Element))
    return null;
  const link = event.target.closest('a');
  if (
    !link?.href ||
    link.origin !== location.origin ||
    link.target ||
    link.getAttribute('href')?.startsWith('#')
  )
    return null;
  if (link.pathname.startsWith('/api/')) return null;
  return link.pathname + link.search + link.hash;
}
