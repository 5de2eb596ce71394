import type { MenuItem } from '../Menu/Menu';
import type { Strings } from '../strings/strings';
import type { MessageActions, MessageSnapshot } from './message';

/** Every action of a message with its key: the toolbar, the menu and the keyboard all read this one table. */
export function menuItems(
  message: MessageSnapshot,
  actions: MessageActions,
  strings: Strings,
  anchor: () => HTMLElement | null,
): MenuItem[] {
  const { id, can } = message;
  const words = strings.message;
  const settled = message.seq !== null;
  const readable = message.content.type === 'text';
  const items: (MenuItem | false)[] = [
    settled &&
      readable &&
      can.write && {
        id: 'react',
        label: words.react,
        icon: 'smile',
        keys: '+',
        onSelect: () => withAnchor(anchor, (at) => actions.pickEmoji(id, at)),
      },
    settled &&
      can.write &&
      readable && {
        id: 'reply',
        label: words.reply,
        icon: 'reply',
        keys: 'R',
        onSelect: () => actions.reply(id),
      },
    settled &&
      can.edit && {
        id: 'edit',
        label: words.edit,
        icon: 'edit',
        keys: 'E',
        onSelect: () => actions.edit(id),
      },
    settled &&
      can.pin &&
      readable && {
        id: 'pin',
        label: message.pinned ? words.unpin : words.pin,
        icon: 'pin',
        keys: 'P',
        onSelect: () => actions.pin(id, !message.pinned),
      },
    readable && {
      id: 'copy',
      label: words.copyText,
      icon: 'copy',
      keys: 'C',
      separated: true,
      onSelect: () => actions.copyText(id),
    },
    settled && {
      id: 'link',
      label: words.copyLink,
      icon: 'link',
      keys: 'L',
      onSelect: () => actions.copyLink(id),
    },
    settled && {
      id: 'unread',
      label: words.markUnread,
      icon: 'unread',
      keys: 'U',
      onSelect: () => actions.markUnread(id),
    },
    settled &&
      can.remove && {
        id: 'remove',
        label: words.remove,
        icon: 'trash',
        keys: 'Del',
        danger: true,
        separated: true,
        onSelect: () => actions.remove(id),
      },
    message.state === 'failed' && {
      id: 'retry',
      label: words.tryAgain,
      icon: 'refresh',
      onSelect: () => actions.retry(id),
    },
    message.state === 'failed' && {
      id: 'discard',
      label: words.discard,
      icon: 'trash',
      danger: true,
      onSelect: () => actions.discard(id),
    },
  ];
  return items.filter((item) => item !== false);
}

function withAnchor(anchor: () => HTMLElement | null, open: (at: HTMLElement) => void): void {
  const at = anchor();
  if (at) open(at);
}

/** The item whose key was pressed on a message. */
export function itemForKey(items: MenuItem[], key: string): MenuItem | undefined {
  const pressed = key === 'Delete' || key === 'Backspace' ? 'Del' : key.toUpperCase();
  return items.find((item) => item.keys === pressed);
}
