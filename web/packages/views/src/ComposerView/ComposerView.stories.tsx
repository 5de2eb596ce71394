import { nothing } from '../testing/fixtures';
import type { ComposerSnapshot } from './composer';
import { ComposerView } from './ComposerView';

const actions = {
  changed: nothing,
  send: nothing,
  leave: () => true,
  editLast: nothing,
  complete: () => Promise.resolve([]),
  emojiUsed: nothing,
};

function show(change: Partial<ComposerSnapshot>) {
  const snapshot: ComposerSnapshot = {
    key: 'c/0',
    conversation: 'c',
    name: 'general',
    text: '',
    mode: { type: 'new' },
    enterSends: true,
    limit: 16_384,
    recentEmoji: ['👍'],
    closed: null,
    ...change,
  };
  return <ComposerView snapshot={snapshot} actions={actions} />;
}

export const Empty = () => show({});
export const Written = () => show({ text: 'Some **bold** words' });
export const Reply = () =>
  show({ mode: { type: 'reply', to: 'Aiko Tanaka', excerpt: 'Who comes to lunch?' } });
export const Edit = () => show({ mode: { type: 'edit' }, text: 'What I said' });
export const NearTheLimit = () => show({ text: 'x'.repeat(190), limit: 200 });
export const TooLong = () => show({ text: 'x'.repeat(210), limit: 200 });
export const Closed = () => show({ closed: 'You cannot write here.' });
