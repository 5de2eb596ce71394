import { nothing } from '../testing/fixtures';
import { ToastsView } from './ToastsView';

export const Both = () => (
  <ToastsView
    onDismiss={nothing}
    toasts={[
      { id: 1, text: 'Copied', tone: 'calm' },
      {
        id: 2,
        text: 'Your role does not allow this.',
        tone: 'problem',
        action: { label: 'Try again', onPress: nothing },
      },
    ]}
  />
);
