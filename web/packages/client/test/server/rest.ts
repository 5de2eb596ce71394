// The test server's REST API: the calls that the tests make.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Command } from '../../src/protocol/commands';
import type { User } from '../../src/protocol/objects';
import { refusal } from './room';
import type { TestServer } from './server';

interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  response: ServerResponse;
}

type Answer = { status: number; json?: unknown };

const ok = (json: unknown): Answer => ({ status: 200, json });
const refused = (status: number, type: string): Answer => ({
  status,
  json: { ...refusal(type), type: `https://klatch.example/problems/${type}`, status },
});

export class Rest {
  constructor(private readonly server: TestServer) {}

  answer(request: IncomingMessage, response: ServerResponse, text: string): void {
    const url = new URL(request.url ?? '/', this.server.url);
    const path = url.pathname.replace('/api/v1', '');
    const method = request.method ?? 'GET';
    const key = `${method} ${path}`;
    this.server.asked.set(key, (this.server.asked.get(key) ?? 0) + 1);
    const fault = this.server.failRest(method, path);
    if (typeof fault === 'number') {
      send(response, refused(fault, 'unavailable'));
      return;
    }
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const call: Call = { method, path, query: url.searchParams, body, response };
    const answer = this.open(call, request) ?? this.closed(call, request);
    // What was done is done; only the answer does not arrive.
    if (fault === 'lost') response.destroy();
    else send(response, answer);
  }

  /** What needs no session. */
  private open(call: Call, request: IncomingMessage): Answer | null {
    switch (`${call.method} ${call.path}`) {
      case 'GET /site':
        return ok({ name: 'Test', registration: 'open', needs_owner: false, version: '0' });
      case 'POST /accounts':
        return this.session(call, this.server.addUser(String(call.body.name)));
      case 'POST /sessions': {
        const user = [...this.server.users.values()].find(({ name }) => name === call.body.name);
        const isRight = user !== undefined && call.body.password === 'right';
        return isRight ? this.session(call, user) : refused(401, 'wrong_credentials');
      }
      case 'POST /sessions/refresh': {
        const token = /refresh=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
        const session = this.server.refreshTokens.get(token);
        return session ? this.answerSession(call, this.server.renew(session)) : refused(401, 'signed_out');
      }
      default:
        return null;
    }
  }

  private closed(call: Call, request: IncomingMessage): Answer {
    const token = request.headers.authorization?.replace('Bearer ', '');
    const session = this.server.sessionOf(token);
    if (session === null) return refused(401, 'token_expired');
    const [, first, id = '', third] = call.path.split('/');
    if (first === 'conversations' && id !== '') return this.room(call, session.user, id, third);
    switch (`${call.method} ${call.path}`) {
      case 'DELETE /sessions/current':
        this.server.endSession(session.id);
        return { status: 204 };
      case 'GET /me/blocks':
        return ok({ items: [...(this.server.blocks.get(session.user.id) ?? [])], next: null });
      case 'GET /users': {
        const ids = (call.query.get('id') ?? '').split(',');
        return ok({ items: ids.flatMap((user) => this.server.users.get(user) ?? []), next: null });
      }
      case 'POST /conversations':
        return this.create(call, session.user);
      default:
        return call.path.startsWith('/me/conversations/')
          ? this.settings(call, session.user)
          : refused(404, 'not_found');
    }
  }

  private room(call: Call, user: User, id: string, what: string | undefined): Answer {
    const room = this.server.rooms.get(id);
    const isMember = room?.members.has(user.id) === true;
    if (room === undefined || (!isMember && what !== 'commands')) return refused(404, 'not_found');
    switch (what) {
      case undefined:
        return ok(room.item(user.id));
      case 'events':
        return ok(room.page(call.query, user.id));
      case 'messages': {
        const message = room.log.find((event) => event.id === call.path.split('/')[4]);
        return message ? ok({ id: message.id, seq: message.seq }) : refused(404, 'not_found');
      }
      case 'commands': {
        const { id: command, command: wanted } = call.body as { id: string; command: Command };
        const outcome = room.decide(user.id, command, wanted);
        if ('type' in outcome) return refused(409, outcome.type);
        if (outcome.event) this.server.publish(room, outcome.event);
        return ok({ id: command, conversation: id, seq: outcome.seq, repeated: outcome.repeated });
      }
      default:
        return refused(404, 'not_found');
    }
  }

  private create(call: Call, user: User): Answer {
    const others = [call.body.with, ...((call.body.members as string[] | undefined) ?? [])];
    const members = others.flatMap((id) => this.server.users.get(String(id)) ?? []);
    const kind = call.body.kind as 'group';
    const name = typeof call.body.name === 'string' ? call.body.name : '';
    return ok(this.server.addRoom(kind, name, [user, ...members]).item(user.id));
  }

  private settings(call: Call, user: User): Answer {
    const room = this.server.rooms.get(call.path.split('/')[3] ?? '');
    const before = room?.settings.get(user.id) ?? { notify: 'all' as const, favourite: false };
    room?.settings.set(user.id, { ...before, ...call.body });
    return ok(room?.item(user.id));
  }

  private session(call: Call, user: User): Answer {
    return this.answerSession(call, this.server.openSession(user));
  }

  private answerSession(
    call: Call,
    { session, access, refresh }: ReturnType<TestServer['openSession']>,
  ): Answer {
    const sign = 'klatch_signed_in=1; Path=/';
    call.response.setHeader('Set-Cookie', [`refresh=${refresh}; HttpOnly; Path=/`, sign]);
    const device = { id: session.id, device: 'test', created_at: 0, last_used_at: 0, current: true };
    const { user } = session;
    const answer = { access_token: access, expires_in_s: this.server.tokenLifeS, session: device, user };
    return ok({ ...answer, request: randomUUID() });
  }
}

function send(response: ServerResponse, { status, json }: Answer): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'Content-Type': type }).end(json === undefined ? '' : JSON.stringify(json));
}
