import type { ConversationItem, MessageItem, Preview, ReplyItem } from '@klatch/client';
import { plainText } from '@klatch/views';
import type {
  ChannelLink,
  MessageContent,
  MessageSnapshot,
  ReceiptSnapshot,
  ReplySnapshot,
  Strings,
} from '@klatch/views';
import { personOf, type Known } from '../support/names';
import { problemText } from '../support/problems';

/** All that a message's looks depend on, beside the message itself. */
export interface MessageContext {
  conversation: ConversationItem;
  me: string;
  known: Known;
  blocked: ReadonlySet<string>;
  /** Messages of blocked people that one wanted to see. */
  revealed: ReadonlySet<string>;
  /** Messages that were looked for and are gone. */
  gone: ReadonlySet<string>;
  loaded: ReadonlyMap<string, Preview>;
  channels: readonly ChannelLink[];
  online: boolean;
  strings: Strings;
}

export function messageSnapshot(
  item: MessageItem,
  context: MessageContext,
  receipt: ReceiptSnapshot | null,
): MessageSnapshot {
  const { conversation, known, strings } = context;
  const readable = item.body?.type === 'text';
  const moderates = conversation.role !== 'member';
  return {
    id: item.id,
    seq: item.seq,
    author: personOf(item.author, known, strings),
    own: item.own,
    at: item.at,
    content: contentOf(item, context),
    edited: item.edited?.at ?? null,
    reply: item.replies[0] ? replyOf(item.replies[0], context) : null,
    reactions: item.reactions.map((reaction) => ({
      emoji: reaction.emoji,
      count: reaction.count,
      names: reaction.users.map((user) => nameOf(user, context)),
      mine: reaction.me,
    })),
    pinned: item.pinned !== null,
    mentionsMe: item.mentionsMe && item.deleted === null,
    state: item.state === 'sending' && !context.online ? 'waiting' : item.state,
    problem: item.problem ? problemText(item.problem, strings) : null,
    receipt,
    origin: item.origin?.network ?? null,
    can: {
      write: true,
      edit: item.own && readable,
      remove: item.deleted === null && item.body !== null && (item.own || moderates),
      pin: moderates || conversation.kind === 'direct',
    },
  };
}

function nameOf(user: string, { me, known, strings }: MessageContext): string {
  return user === me ? strings.common.you : personOf(user, known, strings).name;
}

function contentOf(item: MessageItem, context: MessageContext): MessageContent {
  const { blocked, revealed, known, me } = context;
  if (item.deleted) {
    const byAnother = item.deleted.by !== item.author;
    return { type: 'deleted', by: byAnother ? nameOf(item.deleted.by, context) : null };
  }
  if (blocked.has(item.author) && !revealed.has(item.id)) return { type: 'blocked' };
  if (item.body === null) return { type: 'erased' };
  if (item.body.type !== 'text') return item.body.type === 'notice' ? item.body : { type: 'unsupported' };
  const mentions = item.mentions.flatMap((id) => {
    const user = known.get(id);
    return user ? [{ id, name: user.name, me: id === me }] : [];
  });
  const { text, emote = false } = item.body;
  return { type: 'text', text, emote, mentions, channels: channelsIn(text, context.channels) };
}

function channelsIn(text: string, channels: readonly ChannelLink[]): ChannelLink[] {
  if (!text.includes('#')) return [];
  const written = text.toLowerCase();
  return channels.filter(({ name }) => written.includes(`#${name.toLowerCase()}`));
}

function replyOf(reply: ReplyItem, context: MessageContext): ReplySnapshot {
  const target = reply.message ?? context.loaded.get(reply.id);
  const base = { id: reply.id, seq: reply.seq };
  if (!target)
    return { ...base, author: '', excerpt: '', state: context.gone.has(reply.id) ? 'gone' : 'far' };
  if (target.body === null) return { ...base, author: '', excerpt: '', state: 'gone' };
  const hidden = context.blocked.has(target.author);
  const excerpt = hidden ? context.strings.message.blocked : excerptOf(target, context.strings);
  return {
    ...base,
    author: personOf(target.author, context.known, context.strings).name,
    excerpt,
    state: 'known',
  };
}

/** One line of a message, for lists and quotes. */
export function excerptOf(message: Pick<Preview, 'body'>, strings: Strings): string {
  const { body } = message;
  if (body === null) return strings.sidebar.deletedPreview;
  return body.type === 'unsupported' ? strings.message.unsupported : plainText(body.text).slice(0, 200);
}
