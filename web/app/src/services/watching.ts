import type { KlatchClient } from '@klatch/client';

const most = 200;

/** Whose presence is on the screen: each place names its people, the client is told of all of them together. */
export class Watching {
  private readonly places = new Map<string, readonly string[]>();
  private told = '';

  constructor(private readonly client: KlatchClient) {}

  set(place: string, users: readonly string[]): void {
    if (users.length > 0) this.places.set(place, users);
    else this.places.delete(place);
    const all = [...new Set([...this.places.values()].flat())].slice(0, most);
    if (all.join() === this.told) return;
    this.told = all.join();
    this.client.people.watch(all);
  }
}
