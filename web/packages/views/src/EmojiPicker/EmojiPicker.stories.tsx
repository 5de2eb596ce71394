import { useState } from 'react';
import { Button } from '../Button/Button';
import { nothing } from '../testing/fixtures';
import { EmojiPicker } from './EmojiPicker';

function Opened() {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <Button ref={setAnchor}>Emoji</Button>
      {anchor && <EmojiPicker anchor={anchor} recent={['👍', '🎉']} onPick={nothing} onClose={nothing} />}
    </>
  );
}

export const Open = () => <Opened />;
