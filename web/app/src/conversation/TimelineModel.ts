import type { Anchor, ConversationItem, MessageItem, Preview, Timeline, TimelineItem } from '@klatch/client';
import {
  type Jump,
  type MessageSnapshot,
  type ReceiptSnapshot,
  type Sight,
  type Strings,
  type TimelineRow,
  type TimelineViewSnapshot,
} from '@klatch/views';
import type { Services } from '../services/services';
import { Disposables } from '../support/Disposables';
import { conversationName, personOf } from '../support/names';
import { problemText } from '../support/problems';
import { gatherer } from '../support/soon';
import { storeOf } from '../support/store';
import { ChannelLinks } from './ChannelLinks';
import { excerptOf, messageSnapshot, type MessageContext } from './messages';
import { receiptOf } from './receipts';
import { buildRows } from './rows';
import { SightKeeper } from './SightKeeper';

const flashMs = 2600;

interface Cached {
  item: MessageItem;
  receipt: ReceiptSnapshot | null;
  snapshot: MessageSnapshot;
}

/** What is shown of one conversation's history, for as long as it is open. */
export class TimelineModel {
  readonly snapshot;
  private readonly timeline: Timeline;
  private readonly ends = new Disposables();
  private readonly sight: SightKeeper;
  private readonly fetched = new Set<string>();
  private readonly channels;
  private gone: ReadonlySet<string> = new Set();
  private loaded: ReadonlyMap<string, Preview> = new Map();
  private cache = new Map<string, Cached>();
  private revealed: ReadonlySet<string> = new Set();
  private rows: readonly TimelineRow[] = [];
  private jump: Jump | null = null;
  private focus: unknown = null;
  /** A jump that the person asked for: only these move what is on the screen. */
  private wanted: 'none' | 'quiet' | 'flash' = 'quiet';
  private flashed: string | null = null;
  private announcement = '';
  private readonly gather = gatherer(() => this.draw());
  private context: MessageContext | null = null;
  private drawn: MessageContext | null = null;

  constructor(
    private readonly services: Services,
    private readonly conversation: string,
    private readonly strings: Strings,
    message: string | null,
  ) {
    const { client } = services;
    const anchor: Anchor = message ? { at: 'message', id: message } : { at: 'unread' };
    if (message) this.wanted = 'flash';
    this.timeline = client.messages.timeline(conversation, anchor);
    this.channels = new ChannelLinks(client);
    this.sight = new SightKeeper(client, conversation, this.timeline, () => this.draw());
    this.snapshot = storeOf<TimelineViewSnapshot>(this.build());
  }

  /** Listens until the returned function is called. */
  start(): () => void {
    const { client } = this.services;
    const sources = [
      this.timeline,
      client.people.known,
      client.conversations.get(this.conversation),
      client.conversations.receipts(this.conversation),
      client.account.blocks,
      client.conversations.list,
      client.connection,
    ];
    for (const source of sources) this.ends.track(source.subscribe(this.gather.soon));
    this.ends.track(
      client.messages.onArrival(({ conversation, message }) => this.arrived(conversation, message)),
    );
    this.ends.track(this.sight.start());
    this.ends.track(this.gather.cancel);
    this.draw();
    return () => {
      this.ends.dispose();
      this.timeline.dispose();
    };
  }

  item(id: string): MessageItem | undefined {
    const found = this.timeline.get().items.find((item) => item.type === 'message' && item.id === id);
    return found?.type === 'message' ? found : undefined;
  }

  lastOwn(): MessageItem | undefined {
    const found = this.timeline
      .get()
      .items.findLast(
        (item) =>
          item.type === 'message' &&
          item.own &&
          item.seq !== null &&
          item.body?.type === 'text' &&
          !item.deleted,
      );
    return found?.type === 'message' ? found : undefined;
  }

  goTo(anchor: Anchor, flash = false): void {
    this.wanted = flash ? 'flash' : 'quiet';
    this.timeline.goTo(anchor);
  }

  toLatest = (): void => {
    if (this.timeline.get().newer === 'end') this.showEnd();
    else this.goTo({ at: 'latest' });
  };

  /** Shows a message: at once if it is loaded, else by loading what is around it. */
  showMessage(id: string): void {
    const item = this.item(id);
    if (item?.seq != null) this.showSeq(item.seq, id);
    else this.goTo({ at: 'message', id }, true);
  }

  seen = (sight: Sight): void => this.sight.seen(sight);

  reload = (): void => {
    const { phase, older, newer } = this.timeline.get();
    if (phase === 'failed') this.goTo({ at: 'unread' });
    if (older === 'failed') void this.timeline.loadOlder();
    if (newer === 'failed') void this.timeline.loadNewer();
  };

  reveal = (id: string): void => {
    this.revealed = new Set([...this.revealed, id]);
    this.draw();
  };

  markUnread(seq: number): void {
    this.sight.markUnread(seq);
    this.draw();
  }

  private showSeq(seq: number, flash: string | null): void {
    this.jump = { seq };
    if (flash) this.flash(flash);
    this.draw();
  }

  private showEnd(): void {
    this.jump = { seq: 'end' };
    this.draw();
  }

  private flash(id: string): void {
    this.flashed = id;
    window.setTimeout(() => {
      if (this.flashed !== id) return;
      this.flashed = null;
      this.draw();
    }, flashMs);
  }

  private arrived(conversation: ConversationItem, message: MessageItem): void {
    if (conversation.id !== this.conversation || message.own) return;
    const { known } = this.services.client.people;
    const author = personOf(message.author, known.get(), this.strings).name;
    this.announcement = this.strings.timeline.arrived(author, excerptOf(message, this.strings));
    this.gather.soon();
  }

  private draw(): void {
    this.snapshot.set(this.build());
  }

  private build(): TimelineViewSnapshot {
    const { client, preferences } = this.services;
    const timeline = this.timeline.get();
    const conversation = client.conversations.get(this.conversation).get();
    if (conversation) {
      this.fetchPeople(timeline.items);
      this.fetchReplies(timeline.items);
      this.rows = this.keepRows(this.buildRows(conversation));
      this.followFocus(timeline.focus, timeline.items);
    }
    return {
      conversation: this.conversation,
      name: conversation ? conversationName(conversation, client.people.known.get(), this.strings) : '',
      rows: this.rows,
      phase: timeline.phase,
      problem: timeline.problem ? problemText(timeline.problem, this.strings) : null,
      jump: this.jump,
      flashed: this.flashed,
      newBelow: this.sight.atEnd ? 0 : (conversation?.unread ?? 0),
      announcement: this.announcement,
      recentEmoji: preferences.get().recentEmoji,
      now: Date.now(),
    };
  }

  private buildRows(conversation: ConversationItem): TimelineRow[] {
    const { client } = this.services;
    const timeline = this.timeline.get();
    const known = client.people.known.get();
    const context = this.keepContext({
      conversation,
      me: client.account.me.get()?.id ?? '',
      known,
      blocked: client.account.blocks.get(),
      revealed: this.revealed,
      gone: this.gone,
      loaded: this.loaded,
      channels: this.channels.links(),
      online: client.connection.get().state === 'online',
      strings: this.strings,
    });
    const receipts = client.conversations.receipts(this.conversation).get();
    const mark = receiptOf(timeline.items, receipts, conversation.members, known, this.strings);
    const next = new Map<string, Cached>();
    const rows = buildRows(timeline, {
      conversation,
      known,
      strings: this.strings,
      unreadAfter: this.sight.unreadAfter,
      snapshotOf: (item) => {
        const kept = this.snapshotOf(item, context, mark?.key === item.key ? mark.receipt : null);
        next.set(item.key, kept);
        return kept.snapshot;
      },
    });
    this.cache = next;
    this.drawn = context;
    return rows;
  }

  /** The same context as before while nothing in it changed: then a message that is the same looks the same. */
  private keepContext(next: MessageContext): MessageContext {
    const last = this.context;
    const { conversation: now } = next;
    const same =
      last !== null &&
      last.conversation.role === now.role &&
      last.known === next.known &&
      last.blocked === next.blocked &&
      last.revealed === next.revealed &&
      last.gone === next.gone &&
      last.loaded === next.loaded &&
      last.channels === next.channels &&
      last.online === next.online;
    if (!same) this.context = next;
    return this.context ?? next;
  }

  /** The same object as before while nothing in it changed, so that its row is not drawn again. */
  private snapshotOf(item: MessageItem, context: MessageContext, receipt: ReceiptSnapshot | null): Cached {
    const had = this.cache.get(item.key);
    if (had?.item === item && context === this.drawn && same(had.receipt, receipt)) return had;
    const snapshot = messageSnapshot(item, context, receipt);
    return { item, receipt, snapshot: had && same(had.snapshot, snapshot) ? had.snapshot : snapshot };
  }

  private keepRows(rows: TimelineRow[]): readonly TimelineRow[] {
    const had = new Map(this.rows.map((row) => [row.key, row]));
    const kept = rows.map((row) => {
      const old = had.get(row.key);
      return old && sameRow(old, row) ? old : row;
    });
    const same = kept.length === this.rows.length && kept.every((row, index) => row === this.rows[index]);
    return same ? this.rows : kept;
  }

  private followFocus(focus: { readonly seq: number } | null, items: readonly TimelineItem[]): void {
    const asked = this.wanted !== 'none' && focus === null;
    if (this.timeline.get().phase === 'loading' || (focus === this.focus && !asked)) return;
    this.focus = focus;
    const wanted = this.wanted;
    this.wanted = 'none';
    if (wanted === 'none') return;
    const last = items.findLast((item) => item.seq !== null)?.seq ?? 0;
    if (!focus || (focus.seq >= last && wanted === 'quiet')) this.jump = { seq: 'end' };
    else this.jump = { seq: focus.seq };
    const target = items.find((item) => item.seq === focus?.seq);
    if (wanted === 'flash' && target?.type === 'message') this.flash(target.id);
  }

  private fetchPeople(items: readonly TimelineItem[]): void {
    const { people } = this.services.client;
    const known = people.known.get();
    for (const item of items) {
      for (const user of peopleIn(item)) {
        if (known.has(user) || this.fetched.has(user)) continue;
        this.fetched.add(user);
        this.ends.track(people.get(user).subscribe(this.gather.soon));
      }
    }
  }

  /** What is answered but not loaded is fetched once, to show a line of it. */
  private fetchReplies(items: readonly TimelineItem[]): void {
    for (const item of items) {
      const reply = item.type === 'message' ? item.replies[0] : undefined;
      if (!reply || reply.message || reply.seq === null || this.fetched.has(reply.id)) continue;
      this.fetched.add(reply.id);
      void this.services.client.messages.load(this.conversation, reply.seq).then(
        (found) => {
          if (found?.seq != null)
            this.loaded = new Map(this.loaded).set(reply.id, { ...found, seq: found.seq });
          else this.gone = new Set(this.gone).add(reply.id);
          this.gather.soon();
        },
        () => this.fetched.delete(reply.id),
      );
    }
  }
}

/** Whether two plain values say the same. */
function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function peopleIn(item: TimelineItem): string[] {
  if (item.type === 'message')
    return [item.author, ...item.mentions, ...item.reactions.flatMap(({ users }) => users)];
  const { event } = item;
  if (event.kind === 'created') return [event.author, ...event.members];
  return 'user' in event ? [event.author, event.user] : [event.author];
}

function sameRow(old: TimelineRow, row: TimelineRow): boolean {
  if (old.type === 'message' && row.type === 'message') {
    return (
      old.message === row.message &&
      old.grouped === row.grouped &&
      old.from === row.from &&
      old.to === row.to &&
      old.day === row.day &&
      old.unread === row.unread
    );
  }
  return same(old, row);
}
