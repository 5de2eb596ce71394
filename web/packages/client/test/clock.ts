// Time that runs faster than ours: what waits a second waits 20 ms. Tests wait for conditions, never for a time.
//
// INVARIANT: time goes on in small steps, and between two of them all that has come over sockets is heard. A process that is
// kept from running for a while finds that hardly any time has passed, and no timer runs out before the answer it waits for.

const factor = 50;
/** As much of our time as a step counts at most. */
const stepMaxMs = 2;

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

const timers = new Set<Timer>();
/** Of the faster time, at the last step. */
let passedMs = 0;
/** Of our time. */
let steppedAt = performance.now();

export const now = (): number => Math.round(performance.timeOrigin + elapsed());

export function after(ms: number, action: () => void): () => void {
  const timer = { at: elapsed() + ms, action };
  timers.add(timer);
  return () => timers.delete(timer);
}

function elapsed(): number {
  return passedMs + Math.min(performance.now() - steppedAt, stepMaxMs) * factor;
}

function step(): void {
  passedMs = elapsed();
  steppedAt = performance.now();
  const due = [...timers].filter(({ at }) => at <= passedMs).sort((one, other) => one.at - other.at);
  // An action may cancel those after it.
  for (const timer of due) if (timers.delete(timer)) timer.action();
  wait();
}

/** The event loop hears its sockets before it does what is immediate, and so before each step. */
function wait(): void {
  setTimeout(() => setImmediate(step), 1).unref();
}

wait();

/** Resolves as soon as `condition` yields something; fails with what `explain` says if it never does. */
export async function until<T>(
  condition: () => T | false | null | undefined,
  explain: () => unknown = () => condition.toString(),
): Promise<T> {
  const givenUp = performance.now() + 30_000;
  for (;;) {
    const value = condition();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() > givenUp) throw new Error(`never came true: ${JSON.stringify(explain())}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
