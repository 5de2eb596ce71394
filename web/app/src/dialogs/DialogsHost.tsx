import { SureView } from '@klatch/views';
import { lazy, Suspense } from 'react';
import { useServices } from '../services/services';
import type { DialogState } from '../services/ui';
import { useAttempt } from '../services/useAttempt';
import { useReadable } from '../support/useReadable';

const Dialogs = lazy(() => import('./Dialogs'));

/** The dialog that is open, if one is. All but the shortest are fetched when first needed. */
export function DialogsHost() {
  const { ui } = useServices();
  const open = useReadable(ui.dialog);
  if (!open) return null;
  const close = () => {
    if (ui.dialog.get() === open) ui.dialog.set(null);
  };
  if (open.type === 'sure') return <Sure dialog={open} onClose={close} />;
  return (
    <Suspense fallback={null}>
      <Dialogs dialog={open} onClose={close} />
    </Suspense>
  );
}

function Sure({ dialog, onClose }: { dialog: Extract<DialogState, { type: 'sure' }>; onClose: () => void }) {
  const attempt = useAttempt();
  const onYes = () => {
    onClose();
    void attempt(dialog.onYes);
  };
  return <SureView {...dialog} onYes={onYes} onClose={onClose} />;
}
