// Fetches people who are named somewhere and not known yet, in batches.
import type { Platform } from '../platform/platform';
import type { KlatchEvent } from '../protocol/events';
import type { ServerFrame } from '../protocol/frames';
import type { UserId } from '../protocol/ids';
import type { Conversation, User } from '../protocol/objects';
import type { Page } from '../protocol/rest';
import type { Api } from '../session/api';
import type { Store } from '../store/store';

const batchMax = 100;
/** Those who are named together are asked for together. */
const gatherMs = 20;

export class PeopleLoader {
  readonly #wanted = new Set<UserId>();
  /** Asked for: under way, or not there. */
  readonly #asked = new Set<UserId>();
  #isGathering = false;

  constructor(
    private readonly platform: Pick<Platform, 'after'>,
    private readonly api: Api,
    private readonly store: Store,
  ) {}

  want(users: readonly UserId[]): void {
    const { users: known } = this.store.get();
    for (const user of users) {
      if (!known.has(user) && !this.#asked.has(user)) this.#wanted.add(user);
    }
    if (this.#wanted.size === 0 || this.#isGathering) return;
    this.#isGathering = true;
    this.platform.after(gatherMs, () => void this.load());
  }

  /** Connected again: those who could not be had may be asked for anew. */
  again(): void {
    this.#asked.clear();
    this.want([...this.#wanted]);
  }

  private async load(): Promise<void> {
    const batch = [...this.#wanted].slice(0, batchMax);
    for (const user of batch) {
      this.#wanted.delete(user);
      this.#asked.add(user);
    }
    try {
      const page = await this.api.get<Page<User>>('/users', { id: batch.join(',') });
      this.store.dispatch({ type: 'users', users: page.items });
    } catch {
      // The server is away: `again` asks once it is back.
      for (const user of batch) this.#wanted.add(user);
      this.#isGathering = false;
      return;
    }
    this.#isGathering = false;
    this.want([]);
  }
}

export function namedInFrame(frame: ServerFrame): UserId[] {
  switch (frame.type) {
    case 'events':
      return namedInEvents(frame.events);
    case 'conversation':
      return namedInConversation(frame.item);
    case 'conversations':
      return frame.items.flatMap(namedInConversation);
    case 'typing':
      return [frame.user];
    default:
      return [];
  }
}

export function namedInEvents(events: readonly KlatchEvent[]): UserId[] {
  const named = events.flatMap((event) => {
    if ('user' in event) return [event.author, event.user];
    return 'mentions' in event ? [event.author, ...event.mentions] : [event.author];
  });
  return [...new Set(named)];
}

function namedInConversation(item: Conversation): UserId[] {
  const events = [...(item.events ?? []), ...(item.last ? [item.last] : [])];
  return [...(item.with === undefined ? [] : [item.with]), ...namedInEvents(events)];
}
