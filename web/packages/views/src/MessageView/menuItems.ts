import type { MenuItem } from '../Menu/Menu';
import type { Strings } from '../strings/strings';
import type { MessageActions, MessageSnapshot } from './message';

/** Every action of a message with its key: the toolbar, the menu and the keyboard all read this one table. */
export function menuItems(message: MessageSnapshot, actions: MessageActions, strings: Strings): MenuItem[] {
  const words = strings.message;
  if (message.state === 'failed')
    return [...unsentItems(message, actions, words), ...copyItems(message, actions, words)];
  return [
    ...answerItems(message, actions, words),
    ...copyItems(message, actions, words),
    ...removeItems(message, actions, words),
  ];
}

type Words = Strings['message'];
type Maker = (message: MessageSnapshot, actions: MessageActions, words: Words) => MenuItem[];

const only = (items: (MenuItem | false)[]): MenuItem[] => items.filter((item) => item !== false);

const answerItems: Maker = (message, actions, words) => {
  const { id, can, pinned } = message;
  const readable = message.seq !== null && message.content.type === 'text';
  if (!readable) return [];
  const pin = () => actions.pin(id, !pinned);
  return only([
    can.write && {
      id: 'react',
      label: words.react,
      icon: 'smile',
      keys: '+',
      onSelect: (at) => actions.pickEmoji(id, at),
    },
    can.write && {
      id: 'reply',
      label: words.reply,
      icon: 'reply',
      keys: 'R',
      onSelect: () => actions.reply(id),
    },
    can.edit && { id: 'edit', label: words.edit, icon: 'edit', keys: 'E', onSelect: () => actions.edit(id) },
    can.pin && { id: 'pin', label: pinned ? words.unpin : words.pin, icon: 'pin', keys: 'P', onSelect: pin },
  ]);
};

const copyItems: Maker = (message, actions, words) => {
  const { id, seq } = message;
  const copy = () => actions.copyText(id);
  const unread = () => actions.markUnread(id);
  return only([
    message.content.type === 'text' && {
      id: 'copy',
      label: words.copyText,
      icon: 'copy',
      keys: 'C',
      separated: true,
      onSelect: copy,
    },
    seq !== null && {
      id: 'link',
      label: words.copyLink,
      icon: 'link',
      keys: 'L',
      onSelect: () => actions.copyLink(id),
    },
    seq !== null && { id: 'unread', label: words.markUnread, icon: 'unread', keys: 'U', onSelect: unread },
  ]);
};

const removeItems: Maker = ({ id, seq, can }, actions, words) => {
  if (seq === null || !can.remove) return [];
  const onSelect = () => actions.remove(id);
  return [
    {
      id: 'remove',
      label: words.remove,
      icon: 'trash',
      keys: 'Del',
      danger: true,
      separated: true,
      onSelect,
    },
  ];
};

const unsentItems: Maker = ({ id }, actions, words) => [
  { id: 'retry', label: words.tryAgain, icon: 'refresh', onSelect: () => actions.retry(id) },
  { id: 'discard', label: words.discard, icon: 'trash', danger: true, onSelect: () => actions.discard(id) },
];

/** The item whose key was pressed on a message. */
export function itemForKey(items: MenuItem[], key: string): MenuItem | undefined {
  const pressed = key === 'Delete' || key === 'Backspace' ? 'Del' : key.toUpperCase();
  return items.find((item) => item.keys === pressed);
}
