// Time that runs faster than ours: what waits a second waits 20 ms. Tests wait for conditions, never for a time.

const factor = 50;

export const now = (): number => Math.round(performance.timeOrigin + performance.now() * factor);

export function after(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, ms / factor);
  return () => clearTimeout(timer);
}

/** Resolves as soon as `condition` yields something; fails with what `explain` says if it never does. */
export async function until<T>(
  condition: () => T | false | null | undefined,
  explain: () => unknown = () => condition.toString(),
): Promise<T> {
  const givenUp = performance.now() + 4_000;
  for (;;) {
    const value = condition();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() > givenUp) throw new Error(`never came true: ${JSON.stringify(explain())}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
