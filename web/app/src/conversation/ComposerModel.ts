import type { Draft, MessageItem, User } from '@klatch/client';
import {
  cleanName,
  type Completion,
  type CompletionKind,
  type ComposerSnapshot,
  type Strings,
} from '@klatch/views';
import { findEmoji, loadEmoji } from '@klatch/views';
import { withEmoji } from '../services/preferences';
import type { Services } from '../services/services';
import { Disposables } from '../support/Disposables';
import { conversationName, personOf } from '../support/names';
import { storeOf } from '../support/store';
import { outgoing, mentionsIn } from './mentions';
import { excerptOf } from './messages';
import type { TimelineModel } from './TimelineModel';

const most = 8;
const defaultLimit = 16 * 1024;

/** What one is writing in one conversation: new, an answer, or a change. */
export class ComposerModel {
  readonly snapshot;
  private readonly ends = new Disposables();
  /** People met while completing, beside those the client knows. */
  private readonly met = new Map<string, User>();
  private draft: Draft;
  private revision = 0;
  /** What was being written when an edit began. */
  private stashed: Draft | null = null;

  constructor(
    private readonly services: Services,
    private readonly conversation: string,
    private readonly strings: Strings,
    private readonly timeline: TimelineModel,
  ) {
    this.draft = services.client.drafts.get(conversation).get() ?? { text: '' };
    this.snapshot = storeOf<ComposerSnapshot>(this.build());
  }

  start(): () => void {
    const { client, preferences } = this.services;
    const kept = client.drafts.get(this.conversation);
    const sources = [
      client.people.known,
      client.conversations.get(this.conversation),
      client.limits,
      preferences,
    ];
    for (const source of sources) this.ends.track(source.subscribe(() => this.draw()));
    this.ends.track(kept.subscribe(() => this.restored(kept.get())));
    this.ends.track(() => client.conversations.setTyping(this.conversation, false));
    return () => this.ends.dispose();
  }

  changed = (text: string): void => {
    this.keep({ ...this.draft, text });
    this.services.client.conversations.setTyping(this.conversation, text.trim() !== '' && !this.draft.edit);
  };

  reply = (id: string): void => {
    this.take({ text: this.draft.edit ? (this.stashed?.text ?? '') : this.draft.text, reply: id });
  };

  edit = (item: MessageItem): void => {
    if (item.body?.type !== 'text') return;
    if (!this.draft.edit) this.stashed = this.draft;
    this.take({ text: item.body.emote ? `/me ${item.body.text}` : item.body.text, edit: item.id });
  };

  editLast = (): void => {
    const last = this.timeline.lastOwn();
    if (last) this.edit(last);
  };

  /** Out of the edit, or the reply; what was written stays. */
  leave = (): boolean => {
    if (this.draft.edit) this.take(this.stashed ?? { text: '' });
    else if (this.draft.reply) this.take({ text: this.draft.text });
    else return false;
    return true;
  };

  send = (written: string): void => {
    const { client } = this.services;
    const { text, emote } = outgoing(written);
    const mentions = mentionsIn(text, [...client.people.known.get().values(), ...this.met.values()]);
    const { reply, edit } = this.draft;
    if (edit) {
      client.messages.edit(this.conversation, edit, text, mentions);
      this.take(this.stashed ?? { text: '' });
      return;
    }
    client.messages.send(this.conversation, { text, emote, mentions, ...(reply && { replies: [reply] }) });
    client.conversations.setTyping(this.conversation, false);
    this.take({ text: '' });
    this.services.ui.sent.set(true);
    this.timeline.toLatest();
  };

  complete = (kind: CompletionKind, query: string): Promise<Completion[]> => {
    if (kind === 'person') return this.completePerson(query).catch(() => []);
    return kind === 'emoji' ? this.completeEmoji(query) : Promise.resolve(this.completeChannel(query));
  };

  emojiUsed = (emoji: string): void => {
    const { preferences } = this.services;
    preferences.change({ recentEmoji: withEmoji(preferences.get().recentEmoji, emoji) });
  };

  private async completePerson(query: string): Promise<Completion[]> {
    const { conversations, people } = this.services.client;
    const members = (await conversations.members(this.conversation, query, { limit: most })).items.map(
      ({ user }) => user,
    );
    const here = new Set(members.map((user) => user.id));
    const others = members.length < most && query ? (await people.search(query, { limit: most })).items : [];
    const all = [...members, ...others.filter((user) => !here.has(user.id))].filter(
      (user) => user.state === 'active',
    );
    return all.slice(0, most).map((user) => {
      this.met.set(user.id, user);
      const away = here.has(user.id) ? '' : ` · ${this.strings.composer.notHere}`;
      return {
        id: user.id,
        label: cleanName(user.display_name || user.name),
        detail: `@${user.name}${away}`,
        insert: `@${user.name}`,
        person: user.id,
      };
    });
  }

  private completeChannel(query: string): Completion[] {
    const wanted = query.toLowerCase();
    return this.services.client.conversations.list
      .get()
      .filter((item) => item.kind === 'channel' && item.name.toLowerCase().includes(wanted))
      .slice(0, most)
      .map((item) => ({
        id: item.id,
        label: cleanName(item.name),
        detail: item.topic || null,
        insert: `#${item.name}`,
      }));
  }

  private async completeEmoji(query: string): Promise<Completion[]> {
    const found = findEmoji(await loadEmoji(), query, most);
    return found.map(({ emoji, code }) => ({
      id: emoji,
      label: `:${code}:`,
      detail: null,
      insert: emoji,
      emoji,
    }));
  }

  /** A draft that another place set: after a reload, or in another tab while nothing is written here. */
  private restored(kept: Draft | undefined): void {
    if (kept && kept.text !== '' && this.draft.text === '' && !this.draft.edit) this.take(kept, false);
  }

  private take(draft: Draft, keep = true): void {
    this.revision += 1;
    if (!draft.edit && this.draft.edit) this.stashed = null;
    if (keep) this.keep(draft);
    else this.draft = draft;
    this.draw();
  }

  private keep(draft: Draft): void {
    this.draft = draft;
    this.services.client.drafts.set(this.conversation, draft);
  }

  private draw(): void {
    this.snapshot.set(this.build());
  }

  private build(): ComposerSnapshot {
    const { client, preferences } = this.services;
    const item = client.conversations.get(this.conversation).get();
    const known = client.people.known.get();
    const peer = item?.with ? known.get(item.with) : undefined;
    return {
      key: `${this.conversation}/${String(this.revision)}`,
      conversation: this.conversation,
      name: item ? conversationName(item, known, this.strings) : '',
      text: this.draft.text,
      mode: this.mode(),
      enterSends: preferences.get().enterSends && !window.matchMedia('(pointer: coarse)').matches,
      limit: client.limits.get()['text_bytes'] ?? defaultLimit,
      recentEmoji: preferences.get().recentEmoji,
      closed: peer?.state === 'closed' ? this.strings.timeline.gone : null,
    };
  }

  private mode(): ComposerSnapshot['mode'] {
    if (this.draft.edit) return { type: 'edit' };
    if (!this.draft.reply) return { type: 'new' };
    const target = this.timeline.item(this.draft.reply);
    if (!target) return { type: 'reply', to: '…', excerpt: '' };
    const to = personOf(target.author, this.services.client.people.known.get(), this.strings).name;
    return { type: 'reply', to, excerpt: excerptOf(target, this.strings) };
  }
}
