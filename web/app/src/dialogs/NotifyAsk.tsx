import { NotifyAskView } from '@klatch/views';
import { useServices } from '../services/services';
import { useNotifications } from '../services/useNotifications';
import { useReadable } from '../support/useReadable';

/** Offers notifications once somebody has sent something and may expect an answer. Never on load. */
export function NotifyAsk() {
  const { preferences, ui } = useServices();
  const { notifications } = useReadable(preferences);
  const sent = useReadable(ui.sent);
  const { permission, ask } = useNotifications();
  if (!sent || notifications !== 'unasked' || permission !== 'default') return null;
  return <NotifyAskView onYes={ask} onNo={() => preferences.change({ notifications: 'off' })} />;
}
