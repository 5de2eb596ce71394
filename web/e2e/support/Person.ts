import type { APIRequestContext, Browser, BrowserContextOptions, Page } from '@playwright/test';
import { randomUUID } from 'node:crypto';
import { uuidV7 } from './uuid';
import type { Watch } from './Watch';

export interface Identity {
  id: string;
  /** What one signs in with and is mentioned by. */
  name: string;
  display: string;
  password: string;
  /** Renewed when it has ended, and with it the one that renews it. */
  token: string;
  refresh: string;
}

/** Somebody with an account: acts over REST to set up what a test needs, and opens pages to act as people do. */
export class Person {
  constructor(
    readonly url: string,
    private readonly identity: Identity,
    private readonly request: APIRequestContext,
    private readonly browser: Browser,
    private readonly watch: Watch,
  ) {}

  get id() {
    return this.identity.id;
  }
  get name() {
    return this.identity.name;
  }
  get display() {
    return this.identity.display;
  }
  get password() {
    return this.identity.password;
  }

  /** The same person in another test. */
  watchedBy(watch: Watch): Person {
    return new Person(this.url, this.identity, this.request, this.browser, watch);
  }

  /** A page in a browser of its own, signed in. */
  async open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.watch.page(this.browser, this.url, options);
    await this.signIn(page);
    await page.goto(path);
    return page;
  }

  /** Gives a browser the cookie that signing in gives. */
  async signIn(page: Page): Promise<void> {
    const { name, password } = this;
    const data = { name, password, cookie: true, device: 'Chromium on Linux' };
    const answer = await page.context().request.post(`${this.url}/api/v1/sessions`, { data });
    if (!answer.ok()) throw new Error(`${name} cannot sign in: ${await answer.text()}`);
  }

  async rest<Answer>(method: string, path: string, data?: unknown): Promise<Answer> {
    const key = randomUUID();
    const ask = () =>
      this.request.fetch(`${this.url}/api/v1${path}`, {
        method,
        data,
        headers: { authorization: `Bearer ${this.identity.token}`, 'idempotency-key': key },
      });
    let answer = await ask();
    if (answer.status() === 401) {
      await this.renew();
      answer = await ask();
    }
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return (answer.status() === 204 ? undefined : await answer.json()) as Answer;
  }

  async channel(name: string, members: Person[] = [], more: object = {}): Promise<string> {
    return this.converse({ kind: 'channel', name, members: members.map(({ id }) => id), ...more });
  }

  async group(name: string, members: Person[], more: object = {}): Promise<string> {
    return this.converse({ kind: 'group', name, members: members.map(({ id }) => id), ...more });
  }

  async direct(other: Person): Promise<string> {
    return this.converse({ kind: 'direct', with: other.id });
  }

  /** Says something, and gives back the id of the message. */
  async say(conversation: string, text: string, more: object = {}): Promise<string> {
    return this.command(conversation, { kind: 'send', body: { type: 'text', text, emote: false }, ...more });
  }

  async command(conversation: string, command: object): Promise<string> {
    const id = uuidV7();
    await this.rest('POST', `/conversations/${conversation}/commands`, { id, command });
    return id;
  }

  /** The tests of a file may last longer than an access token. */
  private async renew(): Promise<void> {
    const data = { refresh_token: this.identity.refresh };
    const answer = await this.request.post(`${this.url}/api/v1/sessions/refresh`, { data });
    if (!answer.ok()) throw new Error(`${this.name} cannot renew the session: ${await answer.text()}`);
    const renewed = (await answer.json()) as { access_token: string; refresh_token: string };
    this.identity.token = renewed.access_token;
    this.identity.refresh = renewed.refresh_token;
  }

  private async converse(request: object): Promise<string> {
    const made = await this.rest<{ id: string }>('POST', '/conversations', { id: uuidV7(), ...request });
    return made.id;
  }
}
