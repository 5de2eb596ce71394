import type { APIRequestContext, Browser } from '@playwright/test';
import { Person, type Identity } from './Person';
import type { Server } from './Server';
import type { Watch } from './Watch';

export const password = 'a short sentence is best';

interface Session {
  access_token: string;
  refresh_token: string;
  user: { id: string; name: string; display_name: string };
}

/** A running site with its owner, and the way for others in. */
export class Site {
  private owned: Identity | undefined;

  constructor(
    readonly server: Server,
    private readonly request: APIRequestContext,
    private readonly browser: Browser,
  ) {}

  get url(): string {
    return this.server.url;
  }

  /** The owner, who claims the site when first asked for. */
  async owner(watch: Watch): Promise<Person> {
    this.owned ??= await this.signUp('olga', 'Olga Owner', this.server.claim);
    return this.person(this.owned, watch);
  }

  /** Somebody who came by invitation. `display` is the name with a capital where nothing is said. */
  async invited(name: string, watch: Watch, display = capital(name)): Promise<Person> {
    const owner = await this.owner(watch);
    return this.person(await this.signUp(name, display, await this.invite(owner)), watch);
  }

  async invite(owner: Person, request: object = { uses: 1 }): Promise<string> {
    return (await owner.rest<{ token: string }>('POST', '/invites', request)).token;
  }

  private async signUp(name: string, display_name: string, invite: string | undefined): Promise<Identity> {
    const data = { name, display_name, password, invite, cookie: false, device: 'setup' };
    const answer = await this.request.post(`${this.url}/api/v1/accounts`, { data });
    if (!answer.ok()) throw new Error(`${name} cannot sign up: ${await answer.text()}`);
    const { access_token, refresh_token, user } = (await answer.json()) as Session;
    return {
      id: user.id,
      name: user.name,
      display: user.display_name,
      password,
      token: access_token,
      refresh: refresh_token,
    };
  }

  private person(identity: Identity, watch: Watch): Person {
    return new Person(this.url, identity, this.request, this.browser, watch);
  }
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
