// Everything that is refused carries a problem: the gateway's `problem` objects and REST's problem+json are one shape.

export interface Problem {
  /** The slug (`rate_limited`, `not_found`, …), also where REST gives a whole URI. */
  type: string;
  title: string;
  detail?: string;
  status?: number;
  instance?: string;
  retry_after_ms?: number;
}

/** Thrown by every call of the library that was refused, or did not reach the server (`type: "unreachable"`). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }

  get type(): string {
    return this.problem.type;
  }
}

/** The server could not be reached: nothing is known about the outcome. */
export const unreachable: Problem = {
  type: 'unreachable',
  title: 'The server cannot be reached',
};

/** There is no session, or it has ended. */
export const signedOut: Problem = { type: 'signed_out', title: 'You are signed out', status: 401 };

export function asProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: 'internal', title: 'Something went wrong here', detail };
}
