import type { ChannelLink, Mention } from '../Markdown/mentions';

export interface PersonSnapshot {
  id: string;
  /** As shown: cleaned of what could deceive. */
  name: string;
  /** What one writes after @. */
  handle: string;
}

export type MessageContent =
  | { type: 'text'; text: string; emote: boolean; mentions: Mention[]; channels?: ChannelLink[] }
  | { type: 'notice'; text: string }
  | { type: 'deleted'; by: string | null }
  | { type: 'erased' }
  | { type: 'unsupported' }
  | { type: 'blocked' };

export interface ReactionSnapshot {
  emoji: string;
  count: number;
  names: string[];
  mine: boolean;
}

export interface ReplySnapshot {
  id: string;
  seq: number | null;
  author: string;
  excerpt: string;
  state: 'known' | 'far' | 'gone';
}

export type ReceiptSnapshot =
  { type: 'sent' } | { type: 'delivered' } | { type: 'read'; faces: PersonSnapshot[]; more: number };

export interface MessageSnapshot {
  id: string;
  seq: number | null;
  author: PersonSnapshot;
  own: boolean;
  at: number;
  content: MessageContent;
  edited: number | null;
  reply: ReplySnapshot | null;
  reactions: ReactionSnapshot[];
  pinned: boolean;
  mentionsMe: boolean;
  /** `waiting`: not sent yet, and there is no connection. */
  state: 'sent' | 'sending' | 'waiting' | 'accepted' | 'changing' | 'failed';
  /** Why it failed, in words. */
  problem: string | null;
  receipt: ReceiptSnapshot | null;
  origin: string | null;
  can: { write: boolean; edit: boolean; remove: boolean; pin: boolean };
}

export interface MessageActions {
  reply: (id: string) => void;
  edit: (id: string) => void;
  remove: (id: string) => void;
  react: (id: string, emoji: string, on: boolean) => void;
  pickEmoji: (id: string, anchor: HTMLElement) => void;
  pin: (id: string, on: boolean) => void;
  copyText: (id: string) => void;
  copyLink: (id: string) => void;
  markUnread: (id: string) => void;
  retry: (id: string) => void;
  discard: (id: string) => void;
  showReplied: (reply: { id: string; seq: number | null }) => void;
  showPerson: (user: string, anchor: HTMLElement) => void;
  showBlocked: (id: string) => void;
}
