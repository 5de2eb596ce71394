import type { KlatchEvent, MessageItem, TimelineItem } from '@klatch/client';
import { me, people } from './people';

/** The log of one made-up conversation: what stands at a seq is computed, so that it may be as long as one likes. */
export class FakeLog {
  private readonly changed = new Map<number, MessageItem>();
  readonly unsent: MessageItem[] = [];

  constructor(
    readonly id: string,
    public head: number,
    private readonly authors: number[],
    private readonly texts: string[],
    private readonly now: number,
    private readonly everyMs: number,
  ) {}

  at(seq: number): TimelineItem {
    return this.changed.get(seq) ?? this.made(seq);
  }

  range(from: number, to: number): TimelineItem[] {
    const items: TimelineItem[] = [];
    for (let seq = Math.max(1, from); seq <= Math.min(this.head, to); seq += 1) items.push(this.at(seq));
    return items;
  }

  find(id: string): MessageItem | undefined {
    const seq = Number(id.split('-m')[1]);
    const item =
      this.unsent.find((message) => message.id === id) ??
      [...this.changed.values()].find((message) => message.id === id);
    if (item) return item;
    const made = seq >= 1 && seq <= this.head ? this.at(seq) : undefined;
    return made?.type === 'message' ? made : undefined;
  }

  change(id: string, change: Partial<MessageItem>): void {
    const item = this.find(id);
    if (item?.seq != null) this.changed.set(item.seq, { ...item, ...change });
  }

  append(message: MessageItem): MessageItem {
    this.head += 1;
    const settled: MessageItem = { ...message, seq: this.head, state: 'sent' };
    this.changed.set(this.head, settled);
    return settled;
  }

  message(seq: number | null, author: string, text: string, at: number, key: string): MessageItem {
    return {
      type: 'message',
      key,
      id: key,
      seq,
      author,
      own: author === me.id,
      at,
      body: { type: 'text', text, emote: false },
      mentions: [],
      mentionsMe: false,
      edited: null,
      deleted: null,
      reactions: [],
      pinned: null,
      replies: [],
      thread: null,
      origin: null,
      state: 'sent',
      problem: null,
    };
  }

  private made(seq: number): TimelineItem {
    const at = this.now - (this.head - seq) * this.everyMs - noise(seq, 3) * this.everyMs * 0.4;
    const author =
      people[this.authors[Math.floor(noise(Math.floor(seq / 3), 1) * this.authors.length)] ?? 0] ?? me;
    if (seq % 97 === 0 || seq === 1) return this.notice(seq, at, author.id);
    const text = this.texts[Math.floor(noise(seq, 2) * this.texts.length)] ?? '…';
    const plain = this.message(seq, author.id, text, at, `${this.id}-m${seq}`);
    return { ...plain, ...this.decoration(seq, plain) };
  }

  private decoration(seq: number, plain: MessageItem): Partial<MessageItem> {
    switch (seq % 41) {
      case 3: {
        const target = this.at(Math.max(2, seq - 4));
        if (target.type !== 'message') return {};
        return {
          replies: [{ id: target.id, seq: target.seq, message: { ...target, seq: target.seq ?? 0 } }],
        };
      }
      case 9:
        return {
          reactions: [
            { emoji: '👍', count: 3, users: people.slice(1, 4).map(({ id }) => id), me: false },
            { emoji: '🎉', count: 1, users: [me.id], me: true },
          ],
        };
      case 17:
        return { edited: { at: plain.at + 60_000 } };
      case 23:
        return { body: null, deleted: { at: plain.at, by: plain.author } };
      case 29:
        return {
          body: { type: 'text', text: `@${me.name} could you have a look at this, please?`, emote: false },
          mentions: [me.id],
          mentionsMe: plain.author !== me.id,
        };
      case 33:
        return { body: { type: 'text', text: 'waves to the whole room', emote: true } };
      case 37:
        return { pinned: { at: plain.at, by: me.id } };
      default:
        return {};
    }
  }

  private notice(seq: number, at: number, author: string): TimelineItem {
    const base = { seq, id: `${this.id}-m${seq}`, author, at, worthy: seq };
    const user = people[seq % people.length]?.id ?? author;
    const event =
      seq === 1
        ? ({
            ...base,
            kind: 'created',
            conversation_kind: 'channel',
            name: this.id,
            topic: '',
            history: 'all',
            members: [],
          } satisfies KlatchEvent)
        : ({ ...base, author: user, kind: 'joined', user, role: 'member' } satisfies KlatchEvent);
    return { type: 'notice', key: base.id, seq, at, event };
  }
}

/** Looks random, and is the same each time. */
function noise(seed: number, salt: number): number {
  let x = Math.imul(seed ^ (salt * 0x9e3779b9), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}
