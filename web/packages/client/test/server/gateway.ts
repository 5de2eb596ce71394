// One connection of the test server's gateway.
import type { WebSocket } from 'ws';
import type { ClientFrame } from '../../src/protocol/frames';
import type { User } from '../../src/protocol/objects';
import { now } from '../clock';
import type { LogEvent, Room } from './room';
import type { SentCommand, TestServer } from './server';

export class Gateway {
  user: User | null = null;
  session: string | null = null;
  /** From each page of `sync` on, its conversations are live. */
  readonly #live = new Set<string>();
  #cut = false;

  constructor(
    private readonly server: TestServer,
    private readonly socket: WebSocket,
  ) {
    socket.on('message', (data: Buffer) => this.received(JSON.parse(data.toString()) as ClientFrame));
    socket.on('close', () => server.gateways.delete(this));
  }

  tell(frame: object): void {
    if (!this.#cut) this.socket.send(JSON.stringify(frame));
  }

  cut(code?: number): void {
    this.#cut = true;
    this.server.gateways.delete(this);
    if (code === undefined) this.socket.terminate();
    else this.socket.close(code);
  }

  published(room: Room, event: LogEvent): void {
    const user = this.user?.id ?? '';
    if (!this.#live.has(room.id) && event.kind === 'joined' && event.user === user) {
      this.#live.add(room.id);
      this.tell({ type: 'conversation', item: room.item(user) });
      return;
    }
    if (!this.#live.has(room.id) || this.server.loseLive(user, event)) return;
    this.tell({ type: 'events', conversation: room.id, events: [event] });
    if (event.kind === 'left' || event.kind === 'removed')
      if (event.user === user) this.#live.delete(room.id);
  }

  private received(frame: ClientFrame): void {
    if (this.#cut) return;
    this.server.frames.push(frame);
    if (this.user === null) {
      this.hello(frame);
      return;
    }
    const problem = this.server.misunderstand(frame);
    if (problem) {
      this.tell({ type: 'error', problem, of: frame.type });
      return;
    }
    switch (frame.type) {
      case 'sync':
        this.sync(frame, this.user.id);
        return;
      case 'command':
        this.command(frame, this.user.id);
        return;
      case 'confirm':
        for (const { id } of frame.commands) this.server.mailbox.delete(id);
        return;
      case 'cursor':
        this.cursor(frame, this.user.id);
        return;
      case 'ping':
        this.tell({ type: 'pong' });
        return;
      default:
    }
  }

  private hello(frame: ClientFrame): void {
    const session = frame.type === 'hello' ? this.server.sessionOf(frame.token) : null;
    if (session === null) {
      this.cut(frame.type === 'hello' ? 4100 : 4102);
      return;
    }
    this.user = session.user;
    this.session = session.id;
    const [server_time, user] = [now(), session.user];
    this.tell({
      ...{ type: 'ready', protocol: 1, workspace: 'w', user, session: session.id, server_time },
      ...{ limits: { message_bytes_max: 16384 }, capabilities: [] },
    });
    for (const rejected of this.server.mailbox.values()) this.tell(rejected);
  }

  private sync({ have = {}, after }: Extract<ClientFrame, { type: 'sync' }>, user: string): void {
    const rooms = this.server.roomsOf(user);
    const from = Number(after ?? 0);
    const page = rooms.slice(from, from + this.server.conversationsPerPage);
    for (const room of page) this.#live.add(room.id);
    const next = from + page.length < rooms.length ? String(from + page.length) : null;
    const gone = Object.keys(have).filter((id) => !rooms.some((room) => room.id === id));
    const items = page.map((room) => room.item(user, have[room.id]));
    this.tell({ type: 'conversations', items, gone, next });
  }

  private command(frame: SentCommand, user: string): void {
    if (!this.server.keeps(frame)) {
      this.decide(frame, user);
      return;
    }
    this.server.kept.push(() => this.decide(frame, user));
    this.tell({ type: 'accepted', id: frame.id, conversation: frame.conversation });
  }

  private decide(frame: SentCommand, user: string): void {
    const { id, conversation, command, after } = frame;
    const room = this.server.rooms.get(conversation);
    const outcome =
      this.server.refuse(frame) ??
      room?.decide(user, id, command, after) ??
      ({ type: 'not_found', title: 'not found' } as const);
    if ('type' in outcome) {
      const rejected = { type: 'rejected', id, conversation, problem: outcome };
      if (this.server.keeps(frame)) this.server.mailbox.set(id, rejected);
      this.tell(rejected);
      return;
    }
    const isLost = this.server.loseAnswer(frame);
    if (isLost) this.cut();
    if (room && outcome.event) this.server.publish(room, outcome.event);
    this.tell({ type: 'committed', id, conversation, seq: outcome.seq, repeated: outcome.repeated });
  }

  private cursor(frame: Extract<ClientFrame, { type: 'cursor' }>, user: string): void {
    const room = this.server.rooms.get(frame.conversation);
    if (room === undefined) return;
    const { conversation, read, delivered } = frame;
    const before = room.reads.get(user);
    const isNewer = read && (before === undefined || read.version > before.version);
    if (isNewer) {
      const worthy = (room.log[read.seq - 1]?.worthy as number | undefined) ?? 0;
      room.reads.set(user, { ...read, worthy });
    }
    const moved = isNewer ? { read: room.reads.get(user) } : {};
    const told = {
      type: 'cursor',
      conversation,
      user,
      ...moved,
      ...(delivered === undefined ? {} : { delivered }),
    };
    for (const member of room.members.keys()) this.server.tell(member, told);
  }
}
