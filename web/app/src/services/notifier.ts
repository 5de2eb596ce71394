import type { Arrival } from '@klatch/client';
import { en } from '@klatch/views';
import { excerptOf } from '../conversation/messages';
import { paths } from '../router/route';
import { conversationName, personOf } from '../support/names';
import type { Preferences } from './preferences';
import type { Services } from './services';
import { oneTab } from './tabs';

/** Tells of new messages while one is elsewhere: one tab for all, one notification a conversation. */
export function startNotifier(services: Services): void {
  const { client, router } = services;
  const tabs = oneTab(() => {
    const route = router.route.get();
    const looking = document.visibilityState === 'visible' && document.hasFocus();
    return looking && route.page === 'conversation' ? route.conversation : null;
  });
  client.messages.onArrival((arrival) => {
    const { conversation, message } = arrival;
    const blocked = client.account.blocks.get().has(message.author);
    if (message.own || blocked || !tabs.leads() || tabs.isLookedAt(conversation.id)) return;
    if (wants(arrival) && allowed(services.preferences.get(), new Date())) show(services, arrival);
  });
}

/** Direct messages and mentions count for everybody; the rest as the conversation's setting says. */
function wants({ conversation, message }: Arrival): boolean {
  const { notify } = conversation.settings;
  if (notify === 'none') return false;
  return notify === 'all' || conversation.kind === 'direct' || message.mentionsMe;
}

export function allowed({ notifications, quiet }: Preferences, at: Date): boolean {
  if (notifications !== 'on' || !('Notification' in window) || Notification.permission !== 'granted')
    return false;
  if (!quiet.on) return true;
  const minute = at.getHours() * 60 + at.getMinutes();
  const inside =
    quiet.from <= quiet.until
      ? minute >= quiet.from && minute < quiet.until
      : minute >= quiet.from || minute < quiet.until;
  return !inside;
}

function show({ client, router }: Services, { conversation, message }: Arrival): void {
  const known = client.people.known.get();
  const author = personOf(message.author, known, en).name;
  const name = conversationName(conversation, known, en);
  const title = conversation.kind === 'direct' ? author : `${author} · ${name}`;
  const shown = new Notification(title, {
    body: excerptOf(message, en),
    tag: conversation.id,
    icon: '/favicon.svg',
  });
  shown.onclick = () => {
    window.focus();
    shown.close();
    router.go(paths.message(conversation.id, message.id));
  };
}
