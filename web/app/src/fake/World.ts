import type { ConversationItem, FailedCommand, Receipt, SiteInfo, UnreadTotals, User } from '@klatch/client';
import { storeOf, type Store } from '../support/store';
import { FakeLog } from './FakeLog';
import type { FakeTimeline } from './FakeTimeline';
import { me, people, userId } from './people';

interface Plan {
  id: string;
  kind: ConversationItem['kind'];
  name: string;
  topic: string;
  length: number;
  people: number[];
  members: number;
  unread: number;
  mentions: number;
  everyMs: number;
  favourite?: boolean;
  muted?: boolean;
}

const minute = 60_000;

const plans: Plan[] = [
  {
    id: 'ubuntu',
    kind: 'channel',
    name: 'ubuntu',
    topic: 'Support for Ubuntu since 2004 · be patient, be kind',
    length: 196_577,
    people: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    members: 1284,
    unread: 23,
    mentions: 2,
    everyMs: 2 * minute,
  },
  {
    id: 'general',
    kind: 'channel',
    name: 'general',
    topic: 'What everybody should know',
    length: 4210,
    people: [1, 2, 3, 4, 5, 6],
    members: 86,
    unread: 0,
    mentions: 0,
    everyMs: 40 * minute,
    favourite: true,
  },
  {
    id: 'releases',
    kind: 'channel',
    name: 'releases',
    topic: 'One message each',
    length: 312,
    people: [6, 10],
    members: 54,
    unread: 4,
    mentions: 0,
    everyMs: 600 * minute,
  },
  {
    id: 'random',
    kind: 'channel',
    name: 'random',
    topic: '',
    length: 9120,
    people: [1, 2, 3, 9, 11],
    members: 71,
    unread: 118,
    mentions: 0,
    everyMs: 9 * minute,
    muted: true,
  },
  {
    id: 'design',
    kind: 'channel',
    name: 'design',
    topic: 'Pixels and people',
    length: 1804,
    people: [0, 2, 1],
    members: 12,
    unread: 0,
    mentions: 0,
    everyMs: 70 * minute,
  },
  {
    id: 'jonas',
    kind: 'direct',
    name: '',
    topic: '',
    length: 340,
    people: [0, 1],
    members: 2,
    unread: 2,
    mentions: 0,
    everyMs: 30 * minute,
  },
  {
    id: 'offsite',
    kind: 'group',
    name: 'Offsite in May',
    topic: '',
    length: 96,
    people: [0, 1, 2, 4],
    members: 5,
    unread: 0,
    mentions: 0,
    everyMs: 90 * minute,
  },
  {
    id: 'aiko',
    kind: 'direct',
    name: '',
    topic: '',
    length: 1210,
    people: [0, 2],
    members: 2,
    unread: 0,
    mentions: 0,
    everyMs: 50 * minute,
  },
  {
    id: 'leila',
    kind: 'direct',
    name: '',
    topic: '',
    length: 41,
    people: [0, 4],
    members: 2,
    unread: 0,
    mentions: 0,
    everyMs: 300 * minute,
  },
  {
    id: 'noor',
    kind: 'direct',
    name: '',
    topic: '',
    length: 1,
    people: [9],
    members: 2,
    unread: 0,
    mentions: 0,
    everyMs: 600 * minute,
  },
];

const peers: Record<string, number> = { jonas: 1, aiko: 2, leila: 4, noor: 9 };

/** Everything the fake client makes up. */
export class World {
  readonly logs = new Map<string, FakeLog>();
  readonly list: Store<readonly ConversationItem[]>;
  readonly known: Store<ReadonlyMap<string, User>>;
  readonly receipts = new Map<string, Store<readonly Receipt[]>>();
  readonly typing = new Map<string, Store<readonly string[]>>();
  readonly timelines = new Map<string, Set<FakeTimeline>>();
  readonly failed = storeOf<readonly FailedCommand[]>([]);
  readonly blocks = storeOf<ReadonlySet<string>>(new Set());
  site: SiteInfo = { name: 'Kitchen Table', registration: 'invite', needs_owner: false, version: 'fake' };

  constructor(
    texts: string[],
    readonly now: number,
    empty: boolean,
  ) {
    this.known = storeOf<ReadonlyMap<string, User>>(new Map(people.map((person) => [person.id, person])));
    const wanted = empty ? [] : plans;
    for (const plan of wanted) {
      this.logs.set(plan.id, new FakeLog(plan.id, plan.length, plan.people, texts, now, plan.everyMs));
    }
    this.list = storeOf<readonly ConversationItem[]>(
      wanted.map((plan) => this.itemOf(plan)).sort(byActivity),
    );
  }

  get(id: string): ConversationItem | undefined {
    return this.list.get().find((item) => item.id === id);
  }

  change(id: string, change: Partial<ConversationItem>): void {
    this.list.update((all) =>
      all.map((item) => (item.id === id ? { ...item, ...change } : item)).sort(byActivity),
    );
  }

  add(item: ConversationItem, texts: string[]): void {
    this.logs.set(item.id, new FakeLog(item.id, 0, [0], texts, this.now, minute));
    this.list.update((all) => [item, ...all]);
  }

  totals(): UnreadTotals {
    const unread = this.list.get().filter((item) => item.unread > 0 && item.settings.notify !== 'none');
    const sum = (of: (item: ConversationItem) => number) =>
      unread.reduce((total, item) => total + of(item), 0);
    return {
      conversations: unread.length,
      messages: sum((item) => item.unread),
      mentions: sum((item) => item.mentions),
    };
  }

  /** The log of a conversation has changed: all that show it follow. */
  touched(id: string): void {
    for (const timeline of this.timelines.get(id) ?? []) timeline.follow();
    const log = this.logs.get(id);
    const last = log?.head ? log.at(log.head) : undefined;
    const waiting = log?.unsent.filter((message) => message.state === 'sending').length ?? 0;
    const failed = log?.unsent.filter((message) => message.state === 'failed').length ?? 0;
    const head = { seq: log?.head ?? 0, worthy: log?.head ?? 0, at: last?.at ?? this.now };
    this.change(id, {
      head,
      waiting,
      failed,
      ...(last?.type === 'message' && { last: { ...last, seq: head.seq } }),
    });
  }

  private itemOf(plan: Plan): ConversationItem {
    const log = this.logs.get(plan.id);
    const last = log?.at(plan.length);
    const peer = peers[plan.id];
    return {
      id: plan.id,
      kind: plan.kind,
      name: plan.name,
      topic: plan.topic,
      history: 'all',
      role: plan.kind === 'channel' && plan.id !== 'ubuntu' ? 'owner' : 'moderator',
      joinedSeq: 1,
      members: plan.members,
      with: peer === undefined ? null : userId(peer),
      head: { seq: plan.length, worthy: plan.length, at: last?.at ?? this.now },
      read: { seq: plan.length - plan.unread, version: 1, worthy: plan.length - plan.unread },
      unread: plan.unread,
      mentions: plan.mentions,
      settings: { notify: plan.muted ? 'none' : 'all', favourite: plan.favourite ?? false },
      last: last?.type === 'message' ? { ...last, seq: plan.length } : null,
      waiting: 0,
      failed: 0,
    };
  }
}

function byActivity(one: ConversationItem, other: ConversationItem): number {
  return other.head.at - one.head.at;
}

export { me };
