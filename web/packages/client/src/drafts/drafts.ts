// Drafts: what was typed and not sent, per conversation, kept over a reload and the same in all tabs.
import type { Draft, DraftsApi } from '../contract/client';
import type { Channel, Platform } from '../platform/platform';
import type { ConversationId, UserId } from '../protocol/ids';
import type { Readable } from '../readable';
import type { Database } from '../storage/database';
import { derived, Variable } from '../store/store';

type DraftMap = ReadonlyMap<ConversationId, Draft>;

export class Drafts implements DraftsApi {
  readonly #drafts = new Variable<DraftMap>(new Map());
  readonly #readables = new Map<ConversationId, Readable<Draft | undefined>>();
  /** Changed here and not written yet. */
  readonly #unwritten = new Set<ConversationId>();
  /** Changed here at all: newer than what was kept. */
  readonly #typed = new Set<ConversationId>();
  #storage: { database: Promise<Database>; channel: Channel } | null = null;
  #isWriting = false;

  readonly all: Readable<ReadonlySet<ConversationId>>;

  constructor(private readonly platform: Platform) {
    let before: ReadonlySet<ConversationId> = new Set();
    this.all = derived(this.#drafts, (drafts) => {
      // The same people type for long in the same conversation: the set seldom changes.
      const same = drafts.size === before.size && [...drafts.keys()].every((id) => before.has(id));
      return same ? before : (before = new Set(drafts.keys()));
    });
  }

  /** Begins with what was kept for this person. */
  open(user: UserId, database: Promise<Database>): void {
    const channel = this.platform.openChannel(`klatch-drafts-${user}`);
    this.#storage = { database, channel };
    channel.listen((message) => {
      const { conversation, draft } = message as { conversation: ConversationId; draft: Draft | null };
      this.put(conversation, draft);
    });
    void this.load(database);
  }

  async close(): Promise<void> {
    await this.write();
    this.#storage?.channel.close();
    this.#storage = null;
    this.#drafts.set(new Map());
    this.#typed.clear();
  }

  get(conversation: ConversationId): Readable<Draft | undefined> {
    const readable =
      this.#readables.get(conversation) ?? derived(this.#drafts, (drafts) => drafts.get(conversation));
    this.#readables.set(conversation, readable);
    return readable;
  }

  set(conversation: ConversationId, draft: Draft): void {
    const isEmpty = draft.text === '' && draft.reply === undefined && draft.edit === undefined;
    this.put(conversation, isEmpty ? null : draft);
    this.#typed.add(conversation);
    this.#unwritten.add(conversation);
    void this.writeAll();
  }

  private put(conversation: ConversationId, draft: Draft | null): void {
    const drafts = new Map(this.#drafts.get());
    if (draft === null) drafts.delete(conversation);
    else drafts.set(conversation, draft);
    this.#drafts.set(drafts);
  }

  /** What was typed before the stored drafts were read is newer than they are. */
  private async load(opened: Promise<Database>): Promise<void> {
    const database = await opened.catch(() => null);
    const conversations = (await database?.getAllKeys('drafts')) ?? [];
    for (const conversation of conversations) {
      const draft = await database?.get('drafts', conversation);
      const isTyped = this.#typed.has(conversation) || this.#drafts.get().has(conversation);
      if (draft && !isTyped) this.put(conversation, draft);
    }
  }

  /** Writes at once, since a page may go at any time, but never twice at the same time: fast typing is gathered meanwhile. */
  private async writeAll(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#storage !== null && this.#unwritten.size > 0) await this.write();
    this.#isWriting = false;
  }

  private async write(): Promise<void> {
    if (this.#storage === null) return;
    const { database: opened, channel } = this.#storage;
    const changed = [...this.#unwritten];
    this.#unwritten.clear();
    const kept = this.#drafts.get();
    const database = await opened.catch(() => null);
    for (const conversation of changed) {
      const draft = kept.get(conversation) ?? null;
      channel.post({ conversation, draft });
      if (draft === null) await database?.delete('drafts', conversation).catch(() => undefined);
      else await database?.put('drafts', draft, conversation).catch(() => undefined);
    }
  }
}
