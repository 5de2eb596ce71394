import { ProblemError, type Problem } from '@klatch/client';
import type { Strings } from '@klatch/views';

/** Why something did not work, in words for the person. The server's own words where we have no better ones. */
export function problemText(problem: Problem, strings: Strings): string {
  return strings.problems[problem.type] ?? problem.detail ?? problem.title;
}

export function errorText(error: unknown, strings: Strings): string {
  if (error instanceof ProblemError) return problemText(error.problem, strings);
  return error instanceof Error ? error.message : String(error);
}
