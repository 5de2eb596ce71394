import type { MessageActions, Strings } from '@klatch/views';
import { paths } from '../router/route';
import { withEmoji } from '../services/preferences';
import type { Services } from '../services/services';
import { copyText } from '../support/copy';
import type { ComposerModel } from './ComposerModel';
import type { TimelineModel } from './TimelineModel';

interface Parts {
  services: Services;
  conversation: string;
  timeline: TimelineModel;
  composer: ComposerModel;
  strings: Strings;
  pickEmoji: (id: string, anchor: HTMLElement) => void;
}

/** What can be done with a message, done. */
export function messageActions({
  services,
  conversation,
  timeline,
  composer,
  strings,
  pickEmoji,
}: Parts): MessageActions {
  const { client, ui, router, preferences } = services;
  const { messages } = client;
  const copy = (text: string) => {
    void copyText(text).then(() => ui.say(strings.common.copied));
  };
  return {
    pickEmoji,
    reply: composer.reply,
    edit: (id) => {
      const item = timeline.item(id);
      if (item) composer.edit(item);
    },
    remove: (id) =>
      ui.dialog.set({
        type: 'sure',
        title: strings.message.removeSure,
        text: strings.message.removeText,
        action: strings.message.remove,
        danger: true,
        onYes: () => {
          messages.delete(conversation, id);
          return Promise.resolve();
        },
      }),
    react: (id, emoji, on) => {
      if (!on) {
        messages.unreact(conversation, id, emoji);
        return;
      }
      messages.react(conversation, id, emoji);
      preferences.change({ recentEmoji: withEmoji(preferences.get().recentEmoji, emoji) });
    },
    pin: (id, on) => {
      if (on) messages.pin(conversation, id);
      else messages.unpin(conversation, id);
    },
    copyText: (id) => {
      const body = timeline.item(id)?.body;
      if (body?.type === 'text') copy(body.text);
    },
    copyLink: (id) => copy(location.origin + paths.message(conversation, id)),
    markUnread: (id) => {
      const seq = timeline.item(id)?.seq;
      if (seq != null) timeline.markUnread(seq);
    },
    retry: (id) => messages.retry(id),
    discard: (id) => messages.discard(id),
    showReplied: ({ id }) => timeline.showMessage(id),
    showPerson: (user) => router.go(paths.conversation(conversation, { panel: 'person', user })),
    showBlocked: timeline.reveal,
  };
}
