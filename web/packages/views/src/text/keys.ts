const onMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/u.test(navigator.platform);

const macNames: Record<string, string> = {
  Ctrl: '⌘',
  Alt: '⌥',
  Shift: '⇧',
  Enter: '↩',
  Del: '⌫',
  Esc: 'esc',
  End: '↘',
};

/** A key as the keyboard in front of one names it. Written here as everywhere but on a Mac: `Ctrl+K`. */
export function keysHere(keys: string, mac = onMac): string {
  if (!mac) return keys;
  const parts = keys.split('+').map((part) => macNames[part] ?? part);
  return keys === '+' ? keys : parts.join('');
}

/** The same for assistive technology (`aria-keyshortcuts`). */
export function spokenKeys(keys: string, mac = onMac): string {
  return keys.replace('Ctrl', mac ? 'Meta' : 'Control');
}
