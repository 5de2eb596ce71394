/** What may be completed while typing. */
export type CompletionKind = 'person' | 'channel' | 'emoji';

export interface Completion {
  id: string;
  label: string;
  detail: string | null;
  /** What is put in place of what was typed. */
  insert: string;
  /** For a person: their id, for the face. */
  person?: string;
  emoji?: string;
}

export interface ComposerSnapshot {
  /** Changes when the text is to be taken anew: another conversation, an edit begun or left. */
  key: string;
  conversation: string;
  name: string;
  text: string;
  mode: { type: 'new' } | { type: 'reply'; to: string; excerpt: string } | { type: 'edit' };
  enterSends: boolean;
  /** Bytes of UTF-8 that a text may have. */
  limit: number;
  recentEmoji: string[];
  /** Why one cannot write here, where one cannot. */
  closed: string | null;
}

export interface ComposerActions {
  changed: (text: string) => void;
  send: (text: string) => void;
  /** Leaves the reply or the edit. Answers whether there was one. */
  leave: () => boolean;
  editLast: () => void;
  complete: (kind: CompletionKind, query: string) => Promise<Completion[]>;
  emojiUsed: (emoji: string) => void;
}
