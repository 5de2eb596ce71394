import { useEffect, useRef, type KeyboardEvent, type RefObject } from 'react';
import { Icon, type IconName } from '../Icon/Icon';
import { classes } from '../text/classes';
import { placeBy } from './placeBy';
import styles from './Menu.module.css';

export interface MenuItem {
  id: string;
  label: string;
  icon?: IconName;
  keys?: string;
  danger?: boolean;
  /** Present on an item that is one of several states. */
  checked?: boolean;
  separated?: boolean;
  /** Given what the menu, or its key, was used on. */
  onSelect: (from: HTMLElement) => void;
}

export interface MenuProps {
  label: string;
  items: MenuItem[];
  /** What the menu opens beside, and where the focus returns. */
  anchor: HTMLElement | null;
  onClose: () => void;
}

export function Menu({ label, items, anchor, onClose }: MenuProps) {
  const ref = useRef<HTMLDivElement>(null);
  useFloating(ref, anchor, onClose);
  return (
    <div
      ref={ref}
      popover="manual"
      role="menu"
      aria-label={label}
      className={styles.menu}
      onKeyDown={(event) => onMenuKey(event, ref, onClose)}
    >
      {items.map((item) => (
        <button
          key={item.id}
          type="button"
          role={item.checked === undefined ? 'menuitem' : 'menuitemcheckbox'}
          aria-checked={item.checked}
          aria-keyshortcuts={item.keys}
          tabIndex={-1}
          className={classes(styles.item, item.danger && styles.danger, item.separated && styles.separated)}
          onClick={() => {
            onClose();
            if (anchor) item.onSelect(anchor);
          }}
        >
          <span className={styles.icon}>
            {item.checked ? (
              <Icon name="check" size={18} />
            ) : (
              item.icon && <Icon name={item.icon} size={18} />
            )}
          </span>
          <span className={styles.label}>{item.label}</span>
          {item.keys && <kbd className={styles.keys}>{item.keys}</kbd>}
        </button>
      ))}
    </div>
  );
}

function onMenuKey(event: KeyboardEvent, ref: RefObject<HTMLDivElement | null>, onClose: () => void) {
  const items = [...(ref.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
  const at = items.findIndex((item) => item === document.activeElement);
  const to: Record<string, number> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  };
  const next = to[event.key];
  if (next !== undefined) items[next]?.focus();
  else if (event.key === 'Escape' || event.key === 'Tab') onClose();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Shows a popover in the top layer beside its anchor, closes it on a press elsewhere, and gives the focus back. */
export function useFloating(
  ref: RefObject<HTMLElement | null>,
  anchor: HTMLElement | null,
  onClose: () => void,
) {
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => {
    const box = ref.current;
    if (!box || !anchor) return;
    box.showPopover();
    placeBy(box, anchor);
    (box.querySelector<HTMLElement>('[data-autofocus], [role^=menuitem]') ?? box).focus();
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.contains(event.target) && !anchor.contains(event.target))
        close.current();
    };
    const moved = () => close.current();
    document.addEventListener('pointerdown', outside, true);
    window.addEventListener('resize', moved);
    return () => {
      document.removeEventListener('pointerdown', outside, true);
      window.removeEventListener('resize', moved);
      const inside = box.contains(document.activeElement) || document.activeElement === document.body;
      if (inside && anchor.isConnected) anchor.focus();
    };
  }, [ref, anchor]);
}
