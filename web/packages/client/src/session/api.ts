// The REST helper: authorised calls with an Idempotency-Key on writes, tried again while the server is away.
import { backoff } from '../backoff';
import type { Platform } from '../platform/platform';
import { ProblemError } from '../protocol/problem';
import type { UuidSource } from '../uuid';
import { type Exchange, exchange } from './http';

export type Request = Pick<Exchange, 'method' | 'path' | 'query' | 'body'> & {
  /** `none` for what needs no session. */
  auth?: 'none';
};

/** Where access tokens come from. */
export interface Tokens {
  /** A token that has some time left; rejects with `signed_out`, or `unreachable`. */
  get(): Promise<string>;
  /** The server would not take this one. */
  refused(token: string): void;
}

/** A call is tried so often before the caller hears that the server is away. */
const triesMax = 3;
const longestRetryAfterMs = 5_000;

export class Api {
  constructor(
    private readonly platform: Platform,
    private readonly baseUrl: string,
    private readonly uuid: UuidSource,
    private readonly tokens: Tokens,
  ) {}

  get<T>(path: string, query?: Exchange['query']): Promise<T> {
    return this.call({ method: 'GET', path, query });
  }

  async call<T>(request: Request): Promise<T> {
    // One key for all tries: a write whose answer was lost takes effect once.
    const idempotencyKey = request.method === 'GET' ? undefined : this.uuid();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return (await this.once(request, idempotencyKey)) as T;
      } catch (error) {
        const wait = attempt + 1 < triesMax ? this.waitBefore(error, attempt) : null;
        if (wait === null) throw error;
        await new Promise<void>((resolve) => this.platform.after(wait, resolve));
      }
    }
  }

  private async once({ auth, ...request }: Request, idempotencyKey?: string): Promise<unknown> {
    const requestId = this.uuid();
    const sent = { ...request, requestId, idempotencyKey };
    if (auth === 'none') return exchange(this.platform, this.baseUrl, sent);
    const token = await this.tokens.get();
    try {
      return await exchange(this.platform, this.baseUrl, { ...sent, token });
    } catch (error) {
      if (!(error instanceof ProblemError) || !isTokenRefused(error)) throw error;
      this.tokens.refused(token);
      return exchange(this.platform, this.baseUrl, { ...sent, token: await this.tokens.get() });
    }
  }

  /** Null where another try would not help. */
  private waitBefore(error: unknown, attempt: number): number | null {
    if (!(error instanceof ProblemError)) return null;
    const { status, retry_after_ms: told, type } = error.problem;
    if (told !== undefined) return told <= longestRetryAfterMs ? told : null;
    const away = type === 'unreachable' || status === 502 || status === 503 || status === 504;
    return away ? backoff(attempt, this.platform.random) : null;
  }
}

function isTokenRefused(error: ProblemError): boolean {
  return error.problem.status === 401;
}
