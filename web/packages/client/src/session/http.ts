// One HTTP exchange: JSON out, JSON or a `ProblemError` back. Knows nothing of sessions.
import type { Platform } from '../platform/platform';
import { type Problem, ProblemError, unreachable } from '../protocol/problem';

export interface Exchange {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Under `/api/v1`. */
  path: string;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  token?: string;
  requestId: string;
  idempotencyKey?: string;
}

const timeoutMs = 15_000;

export async function exchange(platform: Platform, baseUrl: string, request: Exchange): Promise<unknown> {
  const abort = new AbortController();
  const cancelTimeout = platform.after(timeoutMs, () => abort.abort());
  try {
    const url = `${baseUrl}/api/v1${request.path}${queryOf(request.query)}`;
    const response = await platform
      .fetch(url, {
        method: request.method,
        headers: headersOf(request),
        body: request.body === undefined ? null : JSON.stringify(request.body),
        credentials: 'same-origin',
        signal: abort.signal,
      })
      .catch((cause: unknown) => {
        throw lost(cause);
      });
    return await answerOf(response);
  } finally {
    cancelTimeout();
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause: unknown) => {
    throw lost(cause);
  });
  const json = parse(text);
  if (response.ok) return json;
  throw new ProblemError(problemOf(response, json));
}

/** A proxy's answer may be no problem+json at all: then the status is all there is. */
function problemOf(response: Response, json: unknown): Problem {
  const told = (typeof json === 'object' ? json : null) as Partial<Problem> | null;
  const type = typeof told?.type === 'string' ? slugOf(told.type) : `http_${response.status}`;
  const title = told?.title ?? (response.statusText || `HTTP ${response.status}`);
  return { ...told, type, title, status: response.status };
}

/** `type` ends in a slug: the last piece of its path. */
function slugOf(type: string): string {
  const piece = type.split(/[/#]/).findLast((part) => part !== '') ?? type;
  return piece.replace(/\.(md|html)$/, '');
}

function headersOf(request: Exchange): Record<string, string> {
  return {
    Accept: 'application/json',
    'X-Request-Id': request.requestId,
    ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(request.token === undefined ? {} : { Authorization: `Bearer ${request.token}` }),
    ...(request.idempotencyKey === undefined ? {} : { 'Idempotency-Key': request.idempotencyKey }),
  };
}

function queryOf(query: Exchange['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length > 0 ? `?${given.join('&')}` : '';
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

function lost(cause: unknown): ProblemError {
  const error = new ProblemError(unreachable);
  error.cause = cause;
  return error;
}
