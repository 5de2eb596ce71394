// Own commands from the moment they are typed until the server has answered: in memory at once, in IndexedDB shortly
// after, the same in all tabs. One tab at a time sends; the others watch.
import type { Channel, Platform } from '../platform/platform';
import type { MessageCommand } from '../protocol/commands';
import type { ClientFrame, RejectedFrame, ServerFrame } from '../protocol/frames';
import type { CommandId, ConversationId, UserId } from '../protocol/ids';
import type { Problem } from '../protocol/problem';
import type { Database } from '../storage/database';
import type { Store } from '../store/store';
import type { UuidSource } from '../uuid';
import type { OutboxEntry, Outcome } from './entry';
import { Sender } from './sender';
import { verdictOn } from './verdict';

export interface OutboxOptions {
  platform: Platform;
  uuid: UuidSource;
  store: Store;
  database: Promise<Database>;
  user: UserId;
  isOnline: () => boolean;
  send: (frame: ClientFrame) => void;
}

/** A frame longer than this ends the connection, so that it would be sent for ever: it is refused here. */
const frameBytesMax = 64 * 1024;
const envelopeBytes = 1024;
const tooLong: Problem = { type: 'body_too_long', title: 'The message is too long' };

/** What tabs tell each other. */
type Notice = { type: 'entry'; entry: OutboxEntry } | { type: 'removed'; id: CommandId };

export class Outbox {
  readonly #sender: Sender;
  readonly #channel: Channel;
  readonly #release: () => void;
  /** What changed while the stored ones are being read: of these, what is read is out of date. */
  #changedWhileLoading: Set<CommandId> | null = new Set();
  /** The last write that was begun; those before it end before it. */
  #stored: Promise<unknown> = Promise.resolve();
  readonly loaded: Promise<void>;

  constructor(private readonly options: OutboxOptions) {
    const { platform, store, user } = options;
    this.#sender = new Sender(platform, {
      entries: () => store.get().outbox,
      isOnline: options.isOnline,
      send: options.send,
      accepted: (id) => this.accept(id),
      committed: (id, seq) => this.settle(id, { state: 'committed', seq }),
      refused: (id, problem) => this.settle(id, { state: 'refused', problem }),
      done: (id) => this.remove(id),
    });
    this.#channel = platform.openChannel(`klatch-outbox-${user}`);
    this.#channel.listen((message) => this.heard(message as Notice));
    this.loaded = this.load();
    this.#release = platform.locks.hold(`klatch-outbox-${user}`, () => {
      // The tab that sent before us may have been killed: what it knew lies in the database.
      void this.loaded.then(() => this.load()).then(() => this.#sender.activate());
    });
  }

  stop(): void {
    this.#release();
    this.#sender.stop();
    this.#channel.close();
  }

  add(conversation: ConversationId, command: MessageCommand): CommandId {
    const { uuid, platform, store } = this.options;
    const id = uuid();
    const seen = store.get().conversations.get(conversation)?.timeline.live.to ?? null;
    const entry = { id, conversation, command, position: id, at: platform.now(), seen } as const;
    const frameMax = store.get().limits.frame_bytes ?? frameBytesMax;
    const isTooLong = new TextEncoder().encode(JSON.stringify(command)).length > frameMax - envelopeBytes;
    this.put({
      ...entry,
      outcome: isTooLong ? { state: 'refused', problem: tooLong } : { state: 'waiting' },
    });
    return id;
  }

  /** With the same id, for a refusal is not remembered; after all that waits already. */
  retry(id: CommandId): void {
    const entry = this.find(id);
    if (entry?.outcome.state !== 'refused') return;
    this.put({ ...entry, position: this.options.uuid(), outcome: { state: 'waiting' } });
  }

  discard(id: CommandId): void {
    if (this.find(id)?.outcome.state === 'refused') this.remove(id);
  }

  connected(): void {
    this.#sender.pump();
  }

  disconnected(): void {
    this.#sender.lost();
  }

  /** Before the store sees the frame: an event of ours is an acknowledgement as good as any. */
  frame(frame: ServerFrame): void {
    switch (frame.type) {
      case 'accepted':
        this.#sender.accepted(frame);
        return;
      case 'committed':
        this.#sender.answered(frame);
        return;
      case 'rejected':
        this.rejected(frame);
        return;
      case 'error':
        if (frame.of === 'command') this.#sender.notTaken(frame.problem);
        return;
      case 'events':
        this.acknowledge(frame.conversation, frame.events);
        return;
      case 'conversations':
        for (const item of frame.items) this.acknowledge(item.id, item.events ?? []);
        return;
      default:
    }
  }

  private acknowledge(conversation: ConversationId, events: readonly { id: string; seq: number }[]): void {
    const waiting = this.options.store.get().outbox.get(conversation);
    if (waiting === undefined) return;
    const ids = new Set(waiting.map((entry) => entry.id));
    for (const event of events) {
      if (!ids.has(event.id)) continue;
      const { id, seq } = event;
      this.#sender.answered({ type: 'committed', id, conversation, seq, repeated: false });
      this.settle(id, { state: 'committed', seq });
    }
  }

  /** Told again until it is confirmed: also what another connection, or the page before this one, had sent. */
  private rejected(frame: RejectedFrame): void {
    const { id, conversation, problem } = frame;
    const isAnswer = this.#sender.answered(frame);
    const { verdict } = verdictOn(problem);
    if (verdict === 'again' || verdict === 'later') return;
    if (!isAnswer && verdict === 'done') this.remove(id);
    else if (!isAnswer) this.settle(id, { state: 'refused', problem });
    // Not before it is stored: until then only the server knows.
    void this.#stored.then(() => {
      if (this.options.isOnline()) this.options.send({ type: 'confirm', commands: [{ id, conversation }] });
    });
  }

  /** In memory only: after a reload it is sent again, which does no harm. */
  private accept(id: CommandId): void {
    const entry = this.find(id);
    if (entry?.outcome.state !== 'waiting') return;
    this.options.store.dispatch({ type: 'outbox', entry: { ...entry, outcome: { state: 'accepted' } } });
  }

  private settle(id: CommandId, outcome: Outcome): void {
    const entry = this.find(id);
    if (entry !== undefined && entry.outcome.state !== 'committed') this.put({ ...entry, outcome });
  }

  /** In memory at once; other tabs and the sender hear of it once it is stored, or cannot be. */
  private put(entry: OutboxEntry): void {
    this.#changedWhileLoading?.add(entry.id);
    this.options.store.dispatch({ type: 'outbox', entry });
    const stored = this.write((database) =>
      entry.outcome.state === 'committed'
        ? database.delete('outbox', entry.id)
        : database.put('outbox', entry),
    );
    void stored.then(() => {
      this.#channel.post({ type: 'entry', entry } satisfies Notice);
      this.#sender.pump();
    });
  }

  private remove(id: CommandId): void {
    this.#changedWhileLoading?.add(id);
    this.options.store.dispatch({ type: 'outbox-removed', id });
    void this.write((database) => database.delete('outbox', id)).then(() =>
      this.#channel.post({ type: 'removed', id } satisfies Notice),
    );
  }

  private async load(): Promise<void> {
    this.#changedWhileLoading ??= new Set();
    const database = await this.options.database.catch(() => null);
    const entries = (await database?.getAll('outbox').catch(() => [])) ?? [];
    for (const entry of entries) {
      if (!this.#changedWhileLoading.has(entry.id)) this.options.store.dispatch({ type: 'outbox', entry });
    }
    this.#changedWhileLoading = null;
  }

  /** A browser without storage (private windows, a full disk) still sends; it only forgets on reload. */
  private async write(action: (database: Database) => Promise<unknown>): Promise<void> {
    this.#stored = this.options.database.then(action).catch(() => undefined);
    await this.#stored;
  }

  private heard(notice: Notice): void {
    const id = notice.type === 'entry' ? notice.entry.id : notice.id;
    this.#changedWhileLoading?.add(id);
    if (notice.type === 'entry') this.options.store.dispatch({ type: 'outbox', entry: notice.entry });
    else this.options.store.dispatch({ type: 'outbox-removed', id });
    this.#sender.pump();
  }

  private find(id: CommandId): OutboxEntry | undefined {
    return [...this.options.store.get().outbox.values()].flat().find((entry) => entry.id === id);
  }
}
