// The parts of the client, wired: what comes from the socket goes to each part in its order, and a session that begins or
// ends begins or ends everything with it.
import { Drafts } from '../drafts/drafts';
import { Filler } from '../history/filler';
import { History } from '../history/history';
import { namedInEvents, namedInFrame, PeopleLoader } from '../history/people';
import { Outbox } from '../outbox/outbox';
import type { Platform } from '../platform/platform';
import type { ClientFrame, ReadyFrame, ServerFrame } from '../protocol/frames';
import type { ConversationId } from '../protocol/ids';
import type { User } from '../protocol/objects';
import { ProblemError, signedOut } from '../protocol/problem';
import { Api } from '../session/api';
import { Session } from '../session/session';
import { Connection } from '../socket/connection';
import { Cursors } from '../socket/cursors';
import { Signals } from '../socket/signals';
import { Sync } from '../socket/sync';
import { type Database, deleteDatabase, openDatabase } from '../storage/database';
import { Store } from '../store/store';
import { Windows } from '../timeline/windows';
import { type UuidSource, uuidSource } from '../uuid';
import { Arrivals } from './arrivals';

export interface ClientOptions {
  platform: Platform;
  /** Where the server is, as `https://chat.example`. */
  baseUrl: string;
}

/** What lasts as long as one person is signed in. */
interface Person {
  readonly user: User;
  readonly database: Promise<Database>;
  readonly outbox: Outbox;
}

/** A little after typing has ended by itself. */
const typingCheckMs = 6_050;

export class Engine {
  readonly platform: Platform;
  readonly uuid: UuidSource;
  readonly store = new Store();
  readonly session: Session;
  readonly api: Api;
  readonly connection: Connection;
  readonly signals: Signals;
  readonly cursors: Cursors;
  readonly history: History;
  readonly people: PeopleLoader;
  readonly drafts: Drafts;
  readonly windows: Windows;
  readonly arrivals: Arrivals;
  readonly #filler: Filler;
  readonly #sync: Sync;
  #person: Person | null = null;
  #unsubscribe: () => void = () => undefined;

  constructor({ platform, baseUrl }: ClientOptions) {
    this.platform = platform;
    this.uuid = uuidSource(platform);
    this.session = new Session(platform, baseUrl, this.uuid);
    this.api = new Api(platform, baseUrl, this.uuid, this.session);
    const gateway = `${baseUrl.replace(/^http/, 'ws')}/api/v1/gateway`;
    this.connection = new Connection(platform, gateway, this.session, {
      ready: (frame) => this.ready(frame),
      frame: (frame) => this.frame(frame),
      lost: () => this.lost(),
      sessionEnded: (reason) => this.session.end(reason),
    });
    const isOnline = (): boolean => this.connection.isOnline();
    const send = (frame: ClientFrame): void => this.connection.send(frame);
    this.signals = new Signals(platform, send);
    this.cursors = new Cursors(platform, this.store, send, isOnline);
    this.#sync = new Sync(platform, this.store, send, () => this.synced());
    this.history = new History(this.api, this.store, platform.now, (events) =>
      this.people.want(namedInEvents(events)),
    );
    this.people = new PeopleLoader(platform, this.api, this.store);
    this.drafts = new Drafts(platform);
    this.windows = new Windows(this.store, this.history, () => this.connection.isSynced());
    this.arrivals = new Arrivals(this.store);
    const isLookedAt = (id: ConversationId): boolean => this.signals.isOpen(id) || this.windows.has(id);
    this.#filler = new Filler(platform, this.store, this.history, isOnline, isLookedAt);
  }

  start(): void {
    let before = this.session.state.get();
    this.#unsubscribe = this.session.state.subscribe(() => {
      const isFirst = before.state === 'unknown';
      before = this.session.state.get();
      if (before.state === 'signed-in') {
        this.begin(before.user);
        // At the start it is the connection that asked for the session.
        if (!isFirst) this.connection.start();
      } else if (before.state === 'signed-out') {
        void this.end();
        this.connection.signedOut();
      }
    });
    this.connection.start();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.connection.stop();
    this.#filler.stop();
    this.session.stop();
    await this.end();
  }

  get outbox(): Outbox {
    if (this.#person === null) throw new ProblemError(signedOut);
    return this.#person.outbox;
  }

  /** Ends the session here and in the other tabs, and forgets what this browser kept. */
  async forget(reason: 'signed-out' | 'account-closed'): Promise<void> {
    const user = this.#person?.user;
    await this.end();
    this.session.end(reason);
    if (user) await deleteDatabase(user.id);
  }

  async loadBlocks(): Promise<void> {
    const { items } = await this.api.get<{ items: (string | User)[] }>('/me/blocks');
    const users = items.map((item) => (typeof item === 'string' ? item : item.id));
    this.store.dispatch({ type: 'blocks', users });
  }

  private begin(user: User): void {
    if (this.#person?.user.id === user.id) return;
    void this.end();
    this.store.dispatch({ type: 'signed-in', user });
    const database = openDatabase(user.id);
    const outbox = new Outbox({
      ...{ platform: this.platform, uuid: this.uuid, store: this.store, database, user: user.id },
      isOnline: () => this.connection.isOnline(),
      send: (frame) => this.connection.send(frame),
    });
    this.#person = { user, database, outbox };
    this.drafts.open(user.id, database);
  }

  private async end(): Promise<void> {
    const person = this.#person;
    this.#person = null;
    if (person === null) return;
    person.outbox.stop();
    this.signals.stop();
    this.cursors.stop();
    this.store.dispatch({ type: 'signed-out' });
    await this.drafts.close();
    await person.database.then(
      (database) => database.close(),
      // It could not be opened: there is nothing to close.
      () => undefined,
    );
  }

  private ready(frame: ReadyFrame): void {
    this.dispatch(frame);
    this.signals.connected();
    this.#sync.start();
    this.#person?.outbox.connected();
    this.people.again();
    // Told again with the next connection if it fails.
    this.loadBlocks().catch(() => undefined);
  }

  private frame(frame: ServerFrame): void {
    this.#person?.outbox.frame(frame);
    const arrived = this.arrivals.before(frame);
    this.dispatch(frame);
    this.cursors.frame(frame);
    this.people.want(namedInFrame(frame));
    arrived();
    if (frame.type === 'events') this.windows.tidy(frame.conversation);
    if (frame.type === 'typing' && frame.on) {
      this.platform.after(typingCheckMs, () =>
        this.store.dispatch({ type: 'clock', now: this.platform.now() }),
      );
    }
    this.#sync.frame(frame);
  }

  private synced(): void {
    this.connection.synced();
    this.cursors.synced();
    this.windows.connected();
    this.#filler.check(true);
  }

  private lost(): void {
    this.#sync.stop();
    this.#person?.outbox.disconnected();
  }

  private dispatch(frame: ServerFrame): void {
    this.store.dispatch({ type: 'frame', frame, now: this.platform.now() });
  }
}
