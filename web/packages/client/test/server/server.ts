// A small server that speaks the documented protocol over real sockets, with faults that a test can order.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ClientFrame } from '../../src/protocol/frames';
import type { ConversationKind, User } from '../../src/protocol/objects';
import { now } from '../clock';
import { Gateway } from './gateway';
import { Rest } from './rest';
import { type LogEvent, type Refusal, Room } from './room';

interface Session {
  readonly id: string;
  readonly user: User;
}

export type SentCommand = Extract<ClientFrame, { type: 'command' }>;

export class TestServer {
  readonly users = new Map<string, User>();
  readonly rooms = new Map<string, Room>();
  readonly blocks = new Map<string, Set<string>>();
  /** By access token, and by refresh token. */
  readonly tokens = new Map<string, { session: Session; expiresAt: number }>();
  readonly refreshTokens = new Map<string, Session>();
  readonly gateways = new Set<Gateway>();

  /** What came over all sockets, in order. */
  readonly frames: ClientFrame[] = [];
  /** How often each REST path was asked. */
  readonly asked = new Map<string, number>();

  /** Faults. Each is asked before the thing is done. */
  tokenLifeS = 600;
  refuse: (command: SentCommand) => Refusal | null = () => null;
  /** Which commands are accepted, and decided only when `decideKept` is called. */
  keeps: (command: SentCommand) => boolean = () => false;
  kept: (() => void)[] = [];
  /** What became of them, until it is confirmed. One device is enough here. */
  readonly mailbox = new Map<string, object>();
  /** True: the answers to this command (and its own event) are lost with the connection. */
  loseAnswer: (command: SentCommand) => boolean = () => false;
  failRest: (method: string, path: string) => number | 'lost' | null = () => null;
  /** True: this live event is not delivered to this user. */
  loseLive: (user: string, event: LogEvent) => boolean = () => false;
  conversationsPerPage = 200;
  /** A frame that is answered by an `error`, as one that was not understood. */
  misunderstand: (frame: ClientFrame) => Refusal | null = () => null;

  #http: Server | null = null;
  #port = 0;
  readonly #rest = new Rest(this);

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const http = createServer((request, response) => this.answer(request, response));
    const sockets = new WebSocketServer({ server: http, path: '/api/v1/gateway' });
    sockets.on('connection', (socket: WebSocket) => this.gateways.add(new Gateway(this, socket)));
    await new Promise<void>((resolve) => http.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (http.address() as AddressInfo).port;
    this.#http = http;
  }

  /** Closes the door and cuts all connections; what was decided stays. */
  async stop(): Promise<void> {
    const http = this.#http;
    this.#http = null;
    this.cut();
    http?.closeAllConnections();
    await new Promise<void>((resolve) => (http ? http.close(() => resolve()) : resolve()));
  }

  cut(code?: number): void {
    for (const gateway of this.gateways) gateway.cut(code);
  }

  /** Decides what was accepted. */
  decideKept(): void {
    for (const decide of this.kept.splice(0)) decide();
  }

  addUser(name: string): User {
    const user: User = {
      ...{ id: randomUUID(), name, display_name: name, about: '', role: 'member', state: 'active' },
    };
    this.users.set(user.id, user);
    return user;
  }

  addRoom(kind: ConversationKind, name: string, members: readonly User[]): Room {
    const room = new Room(randomUUID(), kind, name, now);
    this.rooms.set(room.id, room);
    const [founder] = members;
    room.append(founder?.id ?? '', randomUUID(), {
      kind: 'created',
      conversation_kind: kind,
      name,
      topic: '',
      history: 'all',
      members: members.slice(1).map((member) => member.id),
    });
    return room;
  }

  /** As if `user` had sent it from another device. */
  say(room: Room, user: User, text: string, fields: Record<string, unknown> = {}): LogEvent {
    return this.does(room, user, {
      ...{ kind: 'send', body: { type: 'text', text, emote: false } },
      ...fields,
    });
  }

  does(room: Room, user: User, command: SentCommand['command']): LogEvent {
    const outcome = room.decide(user.id, randomUUID(), command);
    if (!('event' in outcome) || outcome.event === undefined) throw new Error(JSON.stringify(outcome));
    this.publish(room, outcome.event);
    return outcome.event;
  }

  publish(room: Room, event: LogEvent): void {
    for (const gateway of this.gateways) gateway.published(room, event);
  }

  tell(user: string, frame: object): void {
    for (const gateway of this.gateways) if (gateway.user?.id === user) gateway.tell(frame);
  }

  openSession(user: User): { session: Session; access: string; refresh: string } {
    return this.renew({ id: randomUUID(), user });
  }

  renew(session: Session): { session: Session; access: string; refresh: string } {
    const [access, refresh] = [randomUUID(), randomUUID()];
    this.tokens.set(access, { session, expiresAt: now() + this.tokenLifeS * 1000 });
    this.refreshTokens.set(refresh, session);
    return { session, access, refresh };
  }

  endSession(id: string): void {
    for (const [token, { session }] of this.tokens) if (session.id === id) this.tokens.delete(token);
    for (const [token, session] of this.refreshTokens)
      if (session.id === id) this.refreshTokens.delete(token);
    for (const gateway of this.gateways) if (gateway.session === id) gateway.cut(4200);
  }

  sessionOf(access: string | undefined): Session | null {
    const known = access === undefined ? undefined : this.tokens.get(access);
    return known && known.expiresAt > now() ? known.session : null;
  }

  roomsOf(user: string): Room[] {
    return [...this.rooms.values()]
      .filter((room) => room.members.has(user))
      .sort((a, b) => b.head.at - a.head.at);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => this.#rest.answer(request, response, text));
  }
}
