import { storeOf, type Store } from '../support/store';

export type DialogState =
  | { type: 'switcher' }
  | { type: 'keys' }
  | { type: 'create'; kind: 'channel' | 'group' }
  | { type: 'direct' }
  | { type: 'browse' }
  | { type: 'add'; conversation: string }
  | {
      type: 'sure';
      title: string;
      text: string;
      action: string;
      danger: boolean;
      onYes: () => Promise<void>;
    };

export interface Toast {
  id: number;
  text: string;
  tone: 'calm' | 'problem';
  action?: { label: string; onPress: () => void };
}

/** What lies over the page: one dialog, and short words. */
export interface Ui {
  readonly dialog: Store<DialogState | null>;
  readonly toasts: Store<readonly Toast[]>;
  /** Whether something was sent since the page was loaded: then notifications make sense. */
  readonly sent: Store<boolean>;
  say: (text: string, tone?: Toast['tone'], action?: Toast['action']) => void;
  dismiss: (id: number) => void;
}

const shownMs = { calm: 4000, problem: 9000 };

export function createUi(): Ui {
  const dialog = storeOf<DialogState | null>(null);
  const toasts = storeOf<readonly Toast[]>([]);
  let last = 0;
  const dismiss = (id: number) => toasts.update((all) => all.filter((toast) => toast.id !== id));
  return {
    dialog,
    toasts,
    sent: storeOf(false),
    dismiss,
    say: (text, tone = 'calm', action) => {
      const id = (last += 1);
      toasts.update((all) => [...all.slice(-2), { id, text, tone, ...(action && { action }) }]);
      window.setTimeout(() => dismiss(id), shownMs[tone]);
    },
  };
}
