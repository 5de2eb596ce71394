import { useState } from 'react';
import { Button } from '../Button/Button';
import { nothing } from '../testing/fixtures';
import { Menu } from './Menu';

function Opened() {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <Button ref={setAnchor} aria-haspopup="menu">
        Actions
      </Button>
      {anchor && (
        <Menu
          label="Actions"
          anchor={anchor}
          onClose={nothing}
          items={[
            { id: 'reply', label: 'Reply', icon: 'reply', keys: 'R', onSelect: nothing },
            { id: 'mute', label: 'Muted', checked: true, onSelect: nothing },
            {
              id: 'remove',
              label: 'Delete',
              icon: 'trash',
              danger: true,
              separated: true,
              onSelect: nothing,
            },
          ]}
        />
      )}
    </>
  );
}

export const Open = () => <Opened />;
