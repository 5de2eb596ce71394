// Who is signed in, and the access token that proves it. The refresh token lies in an HttpOnly cookie that no script can
// read; the access token lies in memory only, and is told to the other tabs so that ten of them refresh once.
//
// INVARIANT: only the server's own word ends a session. A server that is away, or an answer that was lost, does not.
import type { SessionState, SignedOutReason } from '../contract/states';
import type { SignUp } from '../contract/client';
import type { Channel, Platform } from '../platform/platform';
import type { Millis } from '../protocol/ids';
import { ProblemError, signedOut } from '../protocol/problem';
import type { SessionAnswer } from '../protocol/rest';
import type { Readable } from '../readable';
import { Variable } from '../store/store';
import type { UuidSource } from '../uuid';
import type { Tokens } from './api';
import { exchange } from './http';

interface AccessToken {
  readonly value: string;
  readonly expiresAt: Millis;
}

type Notice =
  { type: 'signed-in'; answer: SessionAnswer; at: Millis } | { type: 'signed-out'; reason: SignedOutReason };

/** A token about to expire is not used any more. */
const marginMs = 30_000;

export class Session implements Tokens {
  readonly #state = new Variable<SessionState>({ state: 'unknown' });
  readonly state: Readable<SessionState> = this.#state;
  readonly #channel: Channel;
  #token: AccessToken | null = null;
  #refreshing: Promise<void> | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly baseUrl: string,
    private readonly uuid: UuidSource,
  ) {
    this.#channel = platform.openChannel('klatch-session');
    this.#channel.listen((message) => this.heard(message as Notice));
  }

  stop(): void {
    this.#channel.close();
  }

  async get(): Promise<string> {
    // Whoever was never signed in here need not be told so by a refusal.
    if (this.#state.get().state === 'unknown' && !this.platform.maybeSignedIn()) this.leave('none');
    if (this.#state.get().state === 'signed-out') throw new ProblemError(signedOut);
    if (!this.isFresh()) await this.refresh();
    if (this.#token === null) throw new ProblemError(signedOut);
    return this.#token.value;
  }

  refused(token: string): void {
    if (this.#token?.value === token) this.#token = null;
  }

  signUp(request: SignUp): Promise<void> {
    return this.enter('/accounts', request);
  }

  signIn(request: { name: string; password: string; device?: string }): Promise<void> {
    return this.enter('/sessions', request);
  }

  /** The server said so, or this person did. */
  end(reason: SignedOutReason): void {
    this.leave(reason);
    this.#channel.post({ type: 'signed-out', reason } satisfies Notice);
  }

  private async enter(path: string, body: object): Promise<void> {
    const answer = await this.post(path, body);
    this.accept(answer, this.platform.now());
    this.announce(answer);
  }

  /** One refresh at a time in this tab, and under a lock one at a time in this browser. */
  private refresh(): Promise<void> {
    this.#refreshing ??= this.platform.locks
      .run('klatch-refresh', async () => {
        // Another tab may have done it while we waited, and told us.
        if (!this.isFresh()) await this.refreshNow();
      })
      .finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  private async refreshNow(): Promise<void> {
    try {
      const answer = await this.post('/sessions/refresh', {});
      this.accept(answer, this.platform.now());
      this.announce(answer);
    } catch (error) {
      const { type, status } = error instanceof ProblemError ? error.problem : {};
      if (type === 'account_closed') this.end('account-closed');
      else if (status === 401) this.end(this.#state.get().state === 'unknown' ? 'none' : 'ended');
      throw error;
    }
  }

  private async post(path: string, body: object): Promise<SessionAnswer> {
    const [requestId, idempotencyKey] = [this.uuid(), this.uuid()];
    const request = { method: 'POST', path, body, requestId, idempotencyKey } as const;
    return (await exchange(this.platform, this.baseUrl, request)) as SessionAnswer;
  }

  private isFresh(): boolean {
    return this.#token !== null && this.#token.expiresAt - marginMs > this.platform.now();
  }

  private accept(answer: SessionAnswer, at: Millis): void {
    this.#token = { value: answer.access_token, expiresAt: at + answer.expires_in_s * 1000 };
    const before = this.#state.get();
    // The same session goes on: nobody needs to hear of a new token.
    if (before.state === 'signed-in' && before.session === answer.session.id) return;
    this.#state.set({ state: 'signed-in', user: answer.user, session: answer.session.id });
  }

  private leave(reason: SignedOutReason): void {
    this.#token = null;
    this.#state.set({ state: 'signed-out', reason });
  }

  private announce(answer: SessionAnswer): void {
    this.#channel.post({ type: 'signed-in', answer, at: this.platform.now() } satisfies Notice);
  }

  private heard(notice: Notice): void {
    if (notice.type === 'signed-in') this.accept(notice.answer, notice.at);
    else if (this.#state.get().state !== 'signed-out') this.leave(notice.reason);
  }
}
