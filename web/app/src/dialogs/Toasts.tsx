import { ToastsView } from '@klatch/views';
import { useServices } from '../services/services';
import { useReadable } from '../support/useReadable';

export function Toasts() {
  const { ui } = useServices();
  return <ToastsView toasts={useReadable(ui.toasts)} onDismiss={ui.dismiss} />;
}
