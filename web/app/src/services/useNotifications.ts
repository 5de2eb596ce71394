import { useState } from 'react';
import { useServices } from './services';

type Permission = 'default' | 'granted' | 'denied' | 'unsupported';

export function permissionNow(): Permission {
  return 'Notification' in window && window.isSecureContext ? Notification.permission : 'unsupported';
}

/** The browser's permission, and how to ask for it: only ever after a press. */
export function useNotifications(): { permission: Permission; ask: () => void } {
  const { preferences } = useServices();
  const [permission, setPermission] = useState(permissionNow);
  const ask = () => {
    if (permissionNow() === 'unsupported') return;
    void Notification.requestPermission().then((answer) => {
      setPermission(answer);
      preferences.change({ notifications: answer === 'granted' ? 'on' : 'off' });
    });
  };
  return { permission, ask };
}
