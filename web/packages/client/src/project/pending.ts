// Own commands on their way, as they will look: an edit, deletion, reaction or pin is shown before it has happened.
import type { MessageId, UserId } from '../protocol/ids';
import type { MessageCommand } from '../protocol/commands';
import type { OutboxEntry } from '../outbox/entry';
import { changed, type ChangeLike, type MessageView } from '../store/timeline/entry';

/** What waits to be sent, and the changes that wait, by the message they are for. */
export interface Pending {
  readonly sends: readonly OutboxEntry[];
  readonly changes: ReadonlyMap<MessageId, readonly OutboxEntry[]>;
}

export const nothingPending: readonly OutboxEntry[] = [];

export function pendingIn(entries: readonly OutboxEntry[]): Pending {
  const changes = new Map<MessageId, OutboxEntry[]>();
  for (const entry of entries) {
    if (entry.command.kind === 'send') continue;
    const { target } = entry.command;
    changes.set(target, [...(changes.get(target) ?? []), entry]);
  }
  return { sends: entries.filter((entry) => entry.command.kind === 'send'), changes };
}

/** The view with all that waits done to it; what was refused is not. */
export function asIfDone(view: MessageView, changes: readonly OutboxEntry[], me: UserId): MessageView {
  return changes.reduce((before, { command, at, outcome }) => {
    const change = outcome.state === 'refused' ? null : changeFor(command, at, me);
    return change ? changed(before, change, me) : before;
  }, view);
}

const kinds = {
  delete: 'deleted',
  react: 'reacted',
  unreact: 'unreacted',
  pin: 'pinned',
  unpin: 'unpinned',
} as const;

function changeFor(command: MessageCommand, at: number, author: UserId): ChangeLike | null {
  switch (command.kind) {
    case 'send':
      return null;
    case 'edit':
      return { kind: 'edited', body: command.body, mentions: command.mentions ?? [], at, author };
    case 'react':
    case 'unreact':
      return { kind: kinds[command.kind], emoji: command.emoji, at, author };
    default:
      return { kind: kinds[command.kind], at, author };
  }
}
