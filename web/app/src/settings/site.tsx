import type { Invite } from '@klatch/client';
import { InviteSettings, SiteSettings, useStrings } from '@klatch/views';
import { useEffect, useState } from 'react';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { useNow } from '../services/useNow';
import { useSite } from '../session/useSite';
import { copyText } from '../support/copy';

export function Site() {
  const { client, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const { site, changed } = useSite();
  if (!site) return null;
  const change = async (request: Parameters<typeof client.site.change>[0]) => {
    const worked = await attempt(async () => changed(await client.site.change(request)));
    if (worked) ui.say(strings.common.saved);
  };
  return (
    <SiteSettings
      snapshot={{ name: site.name, registration: site.registration }}
      actions={{
        rename: (name) => change({ name }),
        setRegistration: (registration) => void change({ registration }),
      }}
    />
  );
}

export function Invites() {
  const { client, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const now = useNow();
  const [invites, setInvites] = useState<Invite[] | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    let wanted = true;
    void attempt(async () => {
      const list = await client.site.invites();
      if (wanted) setInvites(list);
    });
    return () => {
      wanted = false;
    };
  }, [client, attempt]);
  const create = async ({ uses, hours }: { uses: number | null; hours: number | null }) => {
    setBusy(true);
    await attempt(async () => {
      const request = {
        ...(uses !== null && { uses }),
        ...(hours !== null && { expires_in_s: hours * 3600 }),
      };
      const made = await client.site.createInvite(request);
      setLink(made.link ?? null);
      setInvites((last) => [made, ...(last ?? []).filter((invite) => invite.id !== made.id)]);
    });
    setBusy(false);
  };
  const withdraw = (id: string) =>
    void attempt(() => client.site.revokeInvite(id)).then((worked) => {
      if (worked) setInvites((last) => last?.filter((invite) => invite.id !== id) ?? null);
    });
  return (
    <InviteSettings
      snapshot={{
        loading: invites === null,
        busy,
        link,
        now,
        invites: (invites ?? []).map(({ id, uses_left, expires_at }) => ({
          id,
          usesLeft: uses_left,
          expiresAt: expires_at,
        })),
      }}
      actions={{
        create: (invite) => void create(invite),
        copy: () => void copyText(link ?? '').then(() => ui.say(strings.common.copied)),
        withdraw,
      }}
    />
  );
}
