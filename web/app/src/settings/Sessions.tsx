import type { Device } from '@klatch/client';
import { SessionSettings } from '@klatch/views';
import { useEffect, useState } from 'react';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { useNow } from '../services/useNow';

export function Sessions() {
  const { client } = useServices();
  const attempt = useAttempt();
  const now = useNow();
  const [devices, setDevices] = useState<Device[] | null>(null);
  useEffect(() => {
    let wanted = true;
    void attempt(async () => {
      const list = await client.session.list();
      if (wanted) setDevices(list);
    });
    return () => {
      wanted = false;
    };
  }, [client, attempt]);
  const revoke = (id: string) =>
    void attempt(() => client.session.revoke(id)).then((worked) => {
      if (worked) setDevices((last) => last?.filter((device) => device.id !== id) ?? null);
    });
  return (
    <SessionSettings
      snapshot={{
        loading: devices === null,
        now,
        devices: (devices ?? []).map((device) => ({
          id: device.id,
          name: device.device,
          createdAt: device.created_at,
          lastUsedAt: device.last_used_at,
          current: device.current,
        })),
      }}
      actions={{ revoke, signOut: () => void client.session.signOut() }}
    />
  );
}
