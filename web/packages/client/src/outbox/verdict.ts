// What a refusal means for a command that waits: most are final, some only say "not now".
import type { Problem } from '../protocol/problem';

export type Verdict =
  /** One sent before it was not decided: send again from here. */
  | { verdict: 'again' }
  /** The server has no time for anybody, or not for us: all wait so long; undefined leaves that to the back-off. */
  | { verdict: 'later'; waitMs: number | undefined }
  /** It is like that already: what was wanted is so. */
  | { verdict: 'done' }
  | { verdict: 'refused' };

const temporary = new Set(['rate_limited', 'unavailable', 'storage_failed', 'stopping', 'internal']);

export function verdictOn(problem: Problem): Verdict {
  if (problem.type === 'out_of_order') return { verdict: 'again' };
  if (problem.type === 'no_change') return { verdict: 'done' };
  if (temporary.has(problem.type) || problem.retry_after_ms !== undefined) {
    return { verdict: 'later', waitMs: problem.retry_after_ms };
  }
  return { verdict: 'refused' };
}
