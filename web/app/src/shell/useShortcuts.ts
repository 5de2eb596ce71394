import { useEffect } from 'react';
import { paths } from '../router/route';
import { useServices, type Services } from '../services/services';

/** The keys that work everywhere. */
export function useShortcuts(): void {
  const services = useServices();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      if (handle(event, services)) event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [services]);
}

function handle(event: KeyboardEvent, services: Services): boolean {
  const { ui, router } = services;
  const control = event.ctrlKey || event.metaKey;
  const open = ui.dialog.get();
  if (control && event.key.toLowerCase() === 'k') {
    ui.dialog.set(open?.type === 'switcher' ? null : { type: 'switcher' });
    return true;
  }
  if (open) return false;
  if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    step(services, event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
    return true;
  }
  if (control && event.key === '.') {
    toggleDetails(services);
    return true;
  }
  if (event.key === '?' && !isWriting(event.target)) {
    ui.dialog.set({ type: 'keys' });
    return true;
  }
  const route = router.route.get();
  if (event.key === 'Escape' && route.page === 'conversation' && route.side) {
    router.go(paths.conversation(route.conversation));
    return true;
  }
  return false;
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/u.test(target.tagName))
  );
}

/** To the conversation above or below in the list as it is shown; with Shift, to one with unread messages. */
function step({ client, router }: Services, by: number, unread: boolean): void {
  const shown = [...document.querySelectorAll<HTMLAnchorElement>('nav a[href^="/c/"]')];
  const route = router.route.get();
  const at = shown.findIndex(
    (link) => route.page === 'conversation' && link.pathname === paths.conversation(route.conversation),
  );
  const from = at < 0 && by < 0 ? shown.length : at;
  for (let index = from + by; index >= 0 && index < shown.length; index += by) {
    const link = shown[index];
    const id = link?.pathname.split('/')[2] ?? '';
    if (!link || (unread && (client.conversations.get(id).get()?.unread ?? 0) === 0)) continue;
    router.go(link.pathname);
    return;
  }
}

function toggleDetails({ router }: Services): void {
  const route = router.route.get();
  if (route.page !== 'conversation') return;
  router.go(paths.conversation(route.conversation, route.side ? null : { panel: 'details' }));
}
