import type { Arrival, KlatchClient, MessageItem } from '@klatch/client';
import { storeOf } from '../support/store';
import { FakeTimeline } from './FakeTimeline';
import { me, people } from './people';
import type { World } from './World';

const sendMs = 500;
const lively = ['general', 'offsite', 'jonas'];

/** Messages on fixtures. What contains "fail" is refused, so that one sees how that looks. */
export function fakeMessages(world: World, texts: string[], live: boolean): KlatchClient['messages'] {
  const listeners = new Set<(arrival: Arrival) => void>();
  let made = 0;
  seedUnsent(world);
  const settle = (conversation: string, message: MessageItem) => {
    const log = world.logs.get(conversation);
    const at = log?.unsent.findIndex(({ key }) => key === message.key) ?? -1;
    if (!log || at < 0) return;
    const text = message.body?.type === 'text' ? message.body.text : '';
    if (text.includes('fail'))
      log.unsent[at] = { ...message, state: 'failed', problem: { type: 'rate_limited', title: 'Too fast' } };
    else log.append(...(log.unsent.splice(at, 1) as [MessageItem]));
    world.touched(conversation);
  };
  if (live) chatter(world, texts, listeners);
  return {
    timeline: (conversation, anchor) => openTimeline(world, conversation, anchor),
    send: (conversation, { text, emote = false, replies = [] }) => {
      const log = world.logs.get(conversation);
      const key = `own-${String((made += 1))}`;
      if (!log) return key;
      const answered = replies.map((id) => ({ id, seq: log.find(id)?.seq ?? null, message: undefined }));
      const plain = log.message(null, me.id, text, Date.now(), key);
      const message: MessageItem = {
        ...plain,
        body: { type: 'text', text, emote },
        state: 'sending',
        replies: answered,
      };
      log.unsent.push(message);
      world.touched(conversation);
      setTimeout(() => settle(conversation, message), sendMs);
      return key;
    },
    ...changes(world),
    failed: world.failed,
    ...unsentActions(world, settle),
    load: (conversation, seq) => {
      const item = world.logs.get(conversation)?.at(seq);
      return Promise.resolve(item?.type === 'message' ? item : undefined);
    },
    pins: (conversation) => {
      const log = world.logs.get(conversation);
      const items = log?.range(log.head - 120, log.head) ?? [];
      return Promise.resolve(
        items.filter((item) => item.type === 'message').filter((item) => item.pinned !== null),
      );
    },
    onArrival: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function unsentActions(world: World, settle: (conversation: string, message: MessageItem) => void) {
  const find = (id: string) => {
    for (const [conversation, log] of world.logs) {
      const at = log.unsent.findIndex((message) => message.id === id);
      const message = log.unsent[at];
      if (message) return { conversation, log, at, message };
    }
    return null;
  };
  return {
    retry: (id: string) => {
      const found = find(id);
      if (!found) return;
      const again: MessageItem = { ...found.message, state: 'sending', problem: null };
      found.log.unsent[found.at] = again;
      world.touched(found.conversation);
      setTimeout(() => settle(found.conversation, again), sendMs);
    },
    discard: (id: string) => {
      const found = find(id);
      if (!found) return;
      found.log.unsent.splice(found.at, 1);
      world.touched(found.conversation);
    },
  };
}

function openTimeline(
  world: World,
  conversation: string,
  anchor: Parameters<KlatchClient['messages']['timeline']>[1],
) {
  const log = world.logs.get(conversation);
  if (!log) throw new Error(`There is no conversation ${conversation}`);
  const timeline = new FakeTimeline(log, () => world.get(conversation)?.read.seq ?? log.head, anchor);
  const all = world.timelines.get(conversation) ?? new Set();
  world.timelines.set(conversation, all.add(timeline));
  return timeline;
}

function reacted(world: World, conversation: string, target: string, emoji: string, on: boolean) {
  const had = world.logs.get(conversation)?.find(target)?.reactions ?? [];
  const one = had.find((reaction) => reaction.emoji === emoji);
  const others = (one?.users ?? []).filter((user) => user !== me.id);
  const users = on ? [...others, me.id] : others;
  const next = { emoji, count: users.length, users, me: on };
  const all = one ? had.map((reaction) => (reaction === one ? next : reaction)) : [...had, next];
  return all.filter((reaction) => reaction.count > 0);
}

/** Somebody types, and then says something, every now and then. */
function chatter(world: World, texts: string[], listeners: Set<(arrival: Arrival) => void>): void {
  let turn = 0;
  const speak = (conversation: string, author: string) => {
    const log = world.logs.get(conversation);
    const item = world.get(conversation);
    if (!log || !item) return;
    const message = log.append(
      log.message(
        log.head + 1,
        author,
        texts[turn % texts.length] ?? '…',
        Date.now(),
        `live-${String(turn)}`,
      ),
    );
    world.typing.get(conversation)?.set([]);
    world.touched(conversation);
    world.change(conversation, { unread: item.unread + 1 });
    for (const listener of listeners) listener({ conversation: world.get(conversation) ?? item, message });
  };
  setInterval(() => {
    turn += 1;
    const conversation = lively[turn % lively.length] ?? 'general';
    const author = conversation === 'jonas' ? people[1] : people[1 + (turn % 5)];
    if (!author) return;
    const typing = world.typing.get(conversation) ?? storeOf<readonly string[]>([]);
    world.typing.set(conversation, typing);
    typing.set([author.id]);
    setTimeout(() => speak(conversation, author.id), 3000);
  }, 9000);
}

/** What waits and what failed, to see how it looks. */
function seedUnsent(world: World): void {
  const log = world.logs.get('offsite');
  if (!log) return;
  const problem = { type: 'body_too_long', title: 'This is too long' };
  log.unsent.push({
    ...log.message(null, me.id, 'Here is the whole plan with all the train times', world.now, 'f1'),
    state: 'failed',
    problem,
  });
  log.unsent.push({ ...log.message(null, me.id, 'and one more thing', world.now, 'f2'), state: 'sending' });
  world.touched('offsite');
}

type Changes = Pick<KlatchClient['messages'], 'edit' | 'delete' | 'react' | 'unreact' | 'pin' | 'unpin'>;

/** Changes of messages that are there. */
function changes(world: World): Changes {
  let made = 0;
  const changeOf = (conversation: string, target: string, change: Partial<MessageItem>) => {
    world.logs.get(conversation)?.change(target, change);
    world.touched(conversation);
    return `c${String((made += 1))}`;
  };
  return {
    edit: (conversation, target, text) =>
      changeOf(conversation, target, {
        body: { type: 'text', text, emote: false },
        edited: { at: Date.now() },
      }),
    delete: (conversation, target) =>
      changeOf(conversation, target, { body: null, deleted: { at: Date.now(), by: me.id } }),
    react: (conversation, target, emoji) =>
      changeOf(conversation, target, { reactions: reacted(world, conversation, target, emoji, true) }),
    unreact: (conversation, target, emoji) =>
      changeOf(conversation, target, { reactions: reacted(world, conversation, target, emoji, false) }),
    pin: (conversation, target) => changeOf(conversation, target, { pinned: { at: Date.now(), by: me.id } }),
    unpin: (conversation, target) => changeOf(conversation, target, { pinned: null }),
  };
}
