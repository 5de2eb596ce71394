// A conversation as the test server keeps it: its log, who may do what (roughly), and the overlay computed the slow way,
// from the whole log, so that it can judge the client's reducer.
import type { Command } from '../../src/protocol/commands';
import type { Conversation, ConversationKind } from '../../src/protocol/objects';
import type { Overlay } from '../../src/protocol/rest';

export type LogEvent = Record<string, unknown> & { seq: number; id: string; kind: string; author: string };

export type Refusal = { type: string; title: string; retry_after_ms?: number };

interface Known {
  seq: number;
  author: string;
  content: string;
}

export class Room {
  readonly log: LogEvent[] = [];
  readonly members = new Map<string, { role: 'owner' | 'member'; joinedSeq: number }>();
  readonly reads = new Map<string, { seq: number; version: number; worthy: number }>();
  readonly delivered = new Map<string, number>();
  readonly settings = new Map<string, Conversation['settings']>();
  readonly #known = new Map<string, Known>();

  constructor(
    readonly id: string,
    readonly kind: ConversationKind,
    readonly name: string,
    private readonly now: () => number,
  ) {}

  get head(): { seq: number; worthy: number; at: number } {
    const last = this.log.at(-1);
    return { seq: this.log.length, worthy: worthy(last), at: (last?.at as number | undefined) ?? 0 };
  }

  decide(
    author: string,
    id: string,
    command: Command,
    after?: string,
  ): { seq: number; repeated: boolean; event?: LogEvent } | Refusal {
    const content = JSON.stringify(command);
    const known = this.#known.get(id);
    if (known) {
      if (known.author !== author || known.content !== content) return refusal('command_reused');
      return { seq: known.seq, repeated: true };
    }
    if (command.kind !== 'join' && !this.members.has(author)) return refusal('not_found');
    if (after !== undefined && !this.#known.has(after)) return refusal('out_of_order');
    const fields = this.fieldsOf(author, command);
    if ('type' in fields) return fields as Refusal;
    const event = this.append(author, id, fields);
    this.#known.set(id, { seq: event.seq, author, content });
    return { seq: event.seq, repeated: false, event };
  }

  append(author: string, id: string, fields: Record<string, unknown> & { kind: string }): LogEvent {
    const before = this.head;
    const counts = fields.kind === 'sent' ? 1 : 0;
    const at = this.now();
    const event = { seq: before.seq + 1, id, author, at, worthy: before.worthy + counts, ...fields };
    this.log.push(event);
    this.applyMembership(event);
    if (counts) {
      const version = (this.reads.get(author)?.version ?? 0) + 1;
      this.reads.set(author, { seq: event.seq, version, worthy: event.worthy });
    }
    return event;
  }

  item(reader: string, have?: number): Conversation {
    const member = this.members.get(reader);
    const missed = have === undefined ? [] : this.log.slice(have);
    return {
      ...{ id: this.id, kind: this.kind, name: this.name, topic: '', history: 'all' },
      role: member?.role ?? 'member',
      joined_seq: member?.joinedSeq ?? 0,
      members: this.members.size,
      ...(this.kind === 'direct' ? { with: [...this.members.keys()].find((user) => user !== reader) } : {}),
      head: this.head,
      read: this.reads.get(reader) ?? { seq: 0, version: 1, worthy: 0 },
      delivered: this.delivered.get(reader) ?? 0,
      mentions: 0,
      settings: this.settings.get(reader) ?? { notify: 'all', favourite: false },
      last: (this.log.findLast((event) => event.kind === 'sent') ?? null) as unknown as Conversation['last'],
      ...(missed.length > 500 ? { afresh: true } : {}),
      ...(have !== undefined && missed.length <= 500
        ? { events: missed as unknown as Conversation['events'] }
        : {}),
    };
  }

  page(query: URLSearchParams, reader: string): Record<string, unknown> {
    const limit = Number(query.get('limit') ?? 100);
    const [from, to] = this.span(query, limit);
    return this.pageBetween(from, to, reader, this.log.length);
  }

  /** As it was when the log had `head` events. */
  pageBetween(from: number, to: number, reader: string, head: number): Record<string, unknown> {
    const events = this.log.slice(Math.max(0, from - 1), Math.min(to, head));
    const overlay: Record<string, Overlay> = {};
    for (const { seq, kind } of events) {
      const made = kind === 'sent' ? this.overlay(seq, reader, head) : null;
      if (made) overlay[String(seq)] = made;
    }
    const erased = events.map((event) =>
      overlay[String(event.seq)]?.deleted ? { ...event, body: null, erased: true } : event,
    );
    return { events: erased, overlay, head, first: 1 };
  }

  private span(query: URLSearchParams, limit: number): [number, number] {
    const number = (name: string): number | null => (query.has(name) ? Number(query.get(name)) : null);
    const [before, after, around, at] = [number('before'), number('after'), number('around'), number('at')];
    if (before !== null) return [before - limit, before - 1];
    if (after !== null) return [after + 1, after + limit];
    const middle =
      around ?? (at === null ? null : this.log.findIndex((event) => (event.at as number) >= at) + 1);
    if (middle === null) return [this.log.length - limit + 1, this.log.length];
    const from = Math.max(1, middle - Math.floor(limit / 2));
    return [from, from + limit - 1];
  }

  private overlay(seq: number, reader: string, head: number): Overlay | null {
    const changes = this.log
      .slice(0, head)
      .filter((event) => (event.target as { seq: number } | undefined)?.seq === seq);
    const last = changes.at(-1);
    if (last === undefined) return null;
    const overlay: Overlay = { as_of: last.seq };
    const deletion = changes.find((event) => event.kind === 'deleted');
    if (deletion) {
      overlay.deleted = { seq: deletion.seq, at: deletion.at as number, by: deletion.author };
      return overlay;
    }
    const edit = changes.findLast((event) => event.kind === 'edited');
    if (edit) {
      const { at, body, mentions } = edit as unknown as NonNullable<Overlay['edited']>;
      overlay.edited = { seq: edit.seq, at, body, mentions };
    }
    const pin = changes.findLast((event) => event.kind === 'pinned' || event.kind === 'unpinned');
    if (pin?.kind === 'pinned') overlay.pinned = { by: pin.author, at: pin.at as number };
    overlay.reactions = reactions(changes, reader);
    return overlay;
  }

  private fieldsOf(author: string, command: Command): ({ kind: string } & Record<string, unknown>) | Refusal {
    switch (command.kind) {
      case 'send': {
        const replies = (command.replies ?? []).map((id) => ({ id, seq: this.#known.get(id)?.seq ?? 0 }));
        return { kind: 'sent', body: command.body, mentions: command.mentions ?? [], replies };
      }
      case 'join':
        if (this.members.has(author)) return refusal('already_member');
        return { kind: 'joined', user: author, role: 'member' };
      case 'leave':
        return { kind: 'left', user: author };
      case 'add':
        return { kind: 'joined', user: command.user, role: 'member' };
      case 'remove':
        return { kind: 'removed', user: command.user };
      case 'set_role':
        return { kind: 'role_set', user: command.user, role: command.role };
      case 'change':
        return { ...command, kind: 'changed' };
      default:
        return this.change(author, command);
    }
  }

  private change(
    author: string,
    command: Extract<Command, { target: string }>,
  ): ({ kind: string } & Record<string, unknown>) | Refusal {
    const known = this.#known.get(command.target);
    if (known === undefined) return refusal('no_such_message');
    const target = { id: command.target, seq: known.seq };
    const overlay = this.overlay(known.seq, author, this.log.length);
    if (overlay?.deleted) return refusal('message_deleted');
    switch (command.kind) {
      case 'edit':
        if (known.author !== author) return refusal('not_allowed');
        return { kind: 'edited', target, body: command.body, mentions: command.mentions ?? [] };
      case 'delete':
        return { kind: 'deleted', target };
      case 'react':
      case 'unreact': {
        const mine = overlay?.reactions?.find((reaction) => reaction.emoji === command.emoji)?.me ?? false;
        if (mine === (command.kind === 'react')) return refusal('no_change');
        return { kind: `${command.kind}ed`, target, emoji: command.emoji };
      }
      default:
        return { kind: `${command.kind}ned`, target };
    }
  }

  private applyMembership(event: LogEvent): void {
    const user = event.user as string;
    if (event.kind === 'created') {
      this.join(event.author, 'owner', event);
      for (const member of event.members as string[]) this.join(member, 'owner', event);
    }
    if (event.kind === 'joined') this.join(user, event.role as 'owner' | 'member', event);
    if (event.kind === 'left' || event.kind === 'removed') this.members.delete(user);
  }

  private join(user: string, role: 'owner' | 'member', { seq, worthy: read }: LogEvent): void {
    this.members.set(user, { role, joinedSeq: seq });
    this.reads.set(user, { seq, version: 1, worthy: read as number });
  }
}

function reactions(changes: readonly LogEvent[], reader: string): NonNullable<Overlay['reactions']> {
  const users = new Map<string, string[]>();
  for (const { kind, emoji, author } of changes) {
    if (kind !== 'reacted' && kind !== 'unreacted') continue;
    const name = emoji as string;
    const others = (users.get(name) ?? []).filter((user) => user !== author);
    const after = kind === 'reacted' ? [...others, author] : others;
    if (after.length > 0) users.set(name, after);
    else users.delete(name);
  }
  return [...users].map(([emoji, who]) => ({
    ...{ emoji, count: who.length, users: who.slice(0, 20), me: who.includes(reader) },
  }));
}

function worthy(event: LogEvent | undefined): number {
  return (event?.worthy as number | undefined) ?? 0;
}

export function refusal(type: string, retryAfterMs?: number): Refusal {
  return { type, title: type, ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }) };
}
