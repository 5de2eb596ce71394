// Messages: windows on history, what is sent and changed, and what of it was refused.
import type { MessagesApi, OutgoingMessage } from '../contract/client';
import type { FailedCommand, MessageItem } from '../contract/items';
import { namedInEvents } from '../history/people';
import { failedCommands } from '../project/conversations';
import { isSame } from '../project/message';
import { pendingIn } from '../project/pending';
import { surroundings, timelineItem } from '../project/timeline';
import type { OutgoingBody, SendCommand } from '../protocol/commands';
import { decodePins } from '../protocol/decode';
import type { ConversationId, Seq } from '../protocol/ids';
import { pendingOf } from '../store/pending';
import type { State } from '../store/state';
import { type Entry, entryOf } from '../store/timeline/entry';
import { entryAt } from '../store/timeline/ranges';
import type { Engine } from './engine';

export function messagesApi(engine: Engine): MessagesApi {
  const { store, windows, arrivals } = engine;
  return {
    timeline: (id, anchor = { at: 'unread' }) => windows.open(id, anchor),
    send: (id, message) => engine.outbox.add(id, sendCommand(message)),
    edit: (id, target, text, mentions) =>
      engine.outbox.add(id, {
        ...{ kind: 'edit', target, body: textBody(text, false) },
        ...(mentions === undefined ? {} : { mentions }),
      }),
    delete: (id, target) => engine.outbox.add(id, { kind: 'delete', target }),
    react: (id, target, emoji) => engine.outbox.add(id, { kind: 'react', target, emoji }),
    unreact: (id, target, emoji) => engine.outbox.add(id, { kind: 'unreact', target, emoji }),
    pin: (id, target) => engine.outbox.add(id, { kind: 'pin', target }),
    unpin: (id, target) => engine.outbox.add(id, { kind: 'unpin', target }),
    failed: store.select(failures()),
    retry: (id) => engine.outbox.retry(id),
    discard: (id) => engine.outbox.discard(id),
    load: (id, seq) => load(engine, id, seq),
    pins: (id) => pins(engine, id),
    onArrival: (listener) => arrivals.listen(listener),
  };
}

function sendCommand({ text, emote, ...rest }: OutgoingMessage): SendCommand {
  return { kind: 'send', body: textBody(text, emote === true), ...rest };
}

function textBody(text: string, emote: boolean): OutgoingBody {
  return { type: 'text', text, emote };
}

async function load(engine: Engine, id: ConversationId, seq: Seq): Promise<MessageItem | undefined> {
  const entry = (): Entry | undefined => {
    const held = engine.store.get().conversations.get(id);
    return held && entryAt(held.timeline.ranges, seq);
  };
  if (entry() === undefined) await engine.history.load(id, { around: seq }, 1);
  return messageItem(engine, id, entry());
}

async function pins(engine: Engine, id: ConversationId): Promise<readonly MessageItem[]> {
  const page = decodePins(await engine.api.get(`/conversations/${id}/pins`));
  const { me } = engine.store.get();
  engine.people.want(namedInEvents(page.items));
  return page.items.flatMap((event) => {
    const entry = me && entryOf(event, page.overlay[String(event.seq)] ?? null, me.id);
    return messageItem(engine, id, entry ?? undefined) ?? [];
  });
}

function messageItem(
  { store }: Engine,
  id: ConversationId,
  entry: Entry | undefined,
): MessageItem | undefined {
  const state = store.get();
  if (entry === undefined || state.me === null) return undefined;
  const ranges = state.conversations.get(id)?.timeline.ranges ?? [];
  const item = timelineItem(entry, surroundings(ranges, pendingIn(pendingOf(state, id)), state.me.id));
  return item?.type === 'message' ? item : undefined;
}

/** A selector with a memory: the list is the same while the same commands have failed. */
function failures(): (state: State) => readonly FailedCommand[] {
  let before: readonly FailedCommand[] = [];
  return (state) => {
    const now = failedCommands(state);
    const same = isSame(
      now.map((failed) => failed.problem),
      before.map((failed) => failed.problem),
    );
    if (!same) before = now;
    return before;
  };
}
