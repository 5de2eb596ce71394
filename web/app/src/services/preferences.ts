import { storeOf, type Store } from '../support/store';

/** What this browser remembers of one's taste. Nothing secret. */
export interface Preferences {
  theme: 'system' | 'light' | 'dark';
  density: 'comfortable' | 'compact';
  previews: boolean;
  enterSends: boolean;
  widths: { sidebar: number; panel: number };
  recentEmoji: string[];
  /** Whether one was asked, or said what one wants, of notifications. */
  notifications: 'unasked' | 'on' | 'off';
  /** Hours without notifications, as minutes of the day. */
  quiet: { on: boolean; from: number; until: number };
}

const key = 'klatch.preferences';

const defaults: Preferences = {
  theme: 'system',
  density: 'comfortable',
  previews: true,
  enterSends: true,
  widths: { sidebar: 296, panel: 340 },
  recentEmoji: ['👍', '❤️', '😂', '🎉', '👀', '🙏'],
  notifications: 'unasked',
  quiet: { on: false, from: 22 * 60, until: 7 * 60 },
};

function read(): Preferences {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return typeof kept === 'object' && kept !== null ? { ...defaults, ...kept } : defaults;
  } catch {
    return defaults;
  }
}

export interface PreferencesStore extends Store<Preferences> {
  change: (change: Partial<Preferences>) => void;
}

export function createPreferences(): PreferencesStore {
  const store = storeOf(read());
  const apply = () => {
    const { theme, density } = store.get();
    const { dataset } = document.documentElement;
    if (theme === 'system') delete dataset['theme'];
    else dataset['theme'] = theme;
    dataset['density'] = density;
  };
  apply();
  store.subscribe(() => {
    apply();
    try {
      localStorage.setItem(key, JSON.stringify(store.get()));
    } catch {
      // A browser without storage forgets; that is all.
    }
  });
  window.addEventListener('storage', (event) => {
    if (event.key === key) store.set(read());
  });
  return { ...store, change: (change) => store.update((last) => ({ ...last, ...change })) };
}

/** The emoji used last come first. */
export function withEmoji(recent: string[], used: string): string[] {
  return [used, ...recent.filter((emoji) => emoji !== used)].slice(0, 16);
}
