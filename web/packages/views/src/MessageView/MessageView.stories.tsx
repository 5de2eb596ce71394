import { aiko, jonas, message, messageActions, mira, noon } from '../testing/fixtures';
import type { MessageSnapshot } from './message';
import { MessageView } from './MessageView';

function show(change: Partial<MessageSnapshot>, text?: string, grouped = false) {
  return (
    <MessageView
      message={message(change, text)}
      grouped={grouped}
      recentEmoji={['👍']}
      actions={messageActions}
      reachable
    />
  );
}

export const Plain = () => show({});
export const Grouped = () => show({}, 'and one more thing', true);
export const Edited = () => show({ edited: noon + 60_000 });
export const Deleted = () => show({ content: { type: 'deleted', by: null } });
export const DeletedByAnother = () => show({ content: { type: 'deleted', by: 'Mira Okafor' } });
export const Erased = () => show({ content: { type: 'erased' } });
export const Unsupported = () => show({ content: { type: 'unsupported' } });
export const Blocked = () => show({ content: { type: 'blocked' } });
export const Emote = () => show({ content: { type: 'text', text: 'waves', emote: true, mentions: [] } });
export const MentionsMe = () =>
  show({
    mentionsMe: true,
    content: {
      type: 'text',
      text: '@mira look',
      emote: false,
      mentions: [{ id: mira.id, name: 'mira', me: true }],
    },
  });
export const Reply = () =>
  show(
    { reply: { id: 'm-0', seq: 1, author: 'Aiko Tanaka', excerpt: 'Who comes to lunch?', state: 'known' } },
    'I do',
  );
export const ReplyToGone = () =>
  show({ reply: { id: 'm-0', seq: null, author: '', excerpt: '', state: 'gone' } });
export const Reactions = () =>
  show({
    pinned: true,
    reactions: [
      { emoji: '👍', count: 3, names: ['Aiko', 'Jonas', 'you'], mine: true },
      { emoji: '🎉', count: 30, names: ['Aiko'], mine: false },
    ],
  });
export const Sending = () => show({ own: true, author: mira, seq: null, state: 'sending' });
export const Accepted = () => show({ own: true, author: mira, seq: null, state: 'accepted' });
export const Waiting = () => show({ own: true, author: mira, seq: null, state: 'waiting' });
export const Failed = () =>
  show({ own: true, author: mira, seq: null, state: 'failed', problem: 'This is too long.' });
export const Sent = () => show({ own: true, author: mira, receipt: { type: 'sent' } });
export const Delivered = () => show({ own: true, author: mira, receipt: { type: 'delivered' } });
export const Read = () =>
  show({ own: true, author: mira, receipt: { type: 'read', faces: [jonas, aiko], more: 2 } });
export const ReadByMany = () =>
  show({ own: true, author: mira, receipt: { type: 'read', faces: [], more: 40 } });
export const Imported = () => show({ origin: 'irc' });
