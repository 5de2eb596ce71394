import { useState } from 'react';
import { IconButton } from '../Button/IconButton';
import type { IconName } from '../Icon/Icon';
import { Menu, type MenuItem } from '../Menu/Menu';

export interface MenuButtonProps {
  icon: IconName;
  label: string;
  items: MenuItem[];
  size?: 's' | 'm';
}

/** A button with a drawing that opens a menu. */
export function MenuButton({ icon, label, items, size = 'm' }: MenuButtonProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <IconButton
        icon={icon}
        label={label}
        size={size}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      />
      {anchor && <Menu label={label} items={items} anchor={anchor} onClose={() => setAnchor(null)} />}
    </>
  );
}
