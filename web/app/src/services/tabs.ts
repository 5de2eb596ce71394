interface Word {
  tab: string;
  /** The conversation this tab looks at. */
  at: string | null;
}

export interface Tabs {
  /** Whether this tab speaks for all tabs of the browser. */
  leads: () => boolean;
  /** Whether any tab looks at this conversation. */
  isLookedAt: (conversation: string) => boolean;
}

const everyMs = 1000;

/** Of several tabs one leads; each tells the others what it looks at. */
export function oneTab(lookingAt: () => string | null): Tabs {
  const tab = `${String(Date.now())}.${String(Math.random())}`;
  const others = new Map<string, string | null>();
  const channel = new BroadcastChannel('klatch.looking');
  let leading = !('locks' in navigator);
  let told: string | null = null;
  if (!leading) {
    void navigator.locks.request('klatch.notifier', async () => {
      leading = true;
      await new Promise<never>(() => undefined);
    });
  }
  channel.addEventListener('message', (event: MessageEvent<Word>) =>
    others.set(event.data.tab, event.data.at),
  );
  const tell = () => {
    const at = lookingAt();
    if (at === told) return;
    told = at;
    channel.postMessage({ tab, at } satisfies Word);
  };
  for (const event of ['focus', 'blur', 'pagehide'] as const) window.addEventListener(event, tell);
  document.addEventListener('visibilitychange', tell);
  window.setInterval(() => {
    if (document.visibilityState === 'visible') tell();
  }, everyMs);
  return {
    leads: () => leading,
    isLookedAt: (conversation) => lookingAt() === conversation || [...others.values()].includes(conversation),
  };
}
