import { en } from '@klatch/views';
import { conversationName } from '../support/names';
import { gatherer } from '../support/soon';
import type { Services } from './services';

/** Title and icon of the window say where one is and whether something is unread. */
export function startTitle({ client, router }: Services): void {
  const draw = () => {
    const route = router.route.get();
    const { messages, mentions } = client.conversations.totals.get();
    const item =
      route.page === 'conversation' ? client.conversations.get(route.conversation).get() : undefined;
    const name = item ? conversationName(item, client.people.known.get(), en) : '';
    const here = [name, en.common.appName].filter(Boolean).join(' · ');
    const count = mentions || messages;
    document.title = count > 0 ? `(${String(count)}) ${here}` : here;
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
    const href = count > 0 ? '/favicon-unread.svg' : '/favicon.svg';
    if (icon && icon.getAttribute('href') !== href) icon.href = href;
  };
  const { soon } = gatherer(draw);
  for (const source of [
    client.conversations.totals,
    client.people.known,
    client.conversations.list,
    router.route,
  ]) {
    source.subscribe(soon);
  }
}
