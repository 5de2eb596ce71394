import type { User } from '@klatch/client';
import { PeopleSettings, useStrings, type SitePersonSnapshot } from '@klatch/views';
import { useCallback, useState } from 'react';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { copyText } from '../support/copy';
import { personOf } from '../support/names';
import { usePaged } from '../support/usePaged';
import { useReadable } from '../support/useReadable';

/** Everybody with an account: who owns the site, and links for those who have lost their password. */
export function People({ me }: { me: User }) {
  const { client, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const [query, setQuery] = useState('');
  const [reset, setReset] = useState<{ name: string; link: string } | null>(null);
  const load = useCallback(
    (after: string | undefined) => client.people.search(query, { limit: 50, ...(after && { after }) }),
    [client, query],
  );
  const page = usePaged(query, load);
  // What is known by now is newer than the page: roles change here.
  const known = useReadable(client.people.known);
  const people = page.items.map((found): SitePersonSnapshot => {
    const user = known.get(found.id) ?? found;
    const person = personOf(user.id, new Map([[user.id, user]]), strings);
    return { ...person, role: user.role, state: user.state, me: user.id === me.id };
  });
  const nameOf = (id: string) => people.find((person) => person.id === id)?.name ?? '';
  const setRole = (id: string, role: User['role']) => {
    if (role === 'member') return void attempt(() => client.site.setRole(id, role));
    ui.dialog.set({
      type: 'sure',
      title: strings.settings.makeOwnerSure(nameOf(id)),
      text: strings.settings.makeOwnerText,
      action: strings.settings.makeSiteOwner,
      danger: false,
      onYes: () => client.site.setRole(id, role),
    });
  };
  const makeLink = async (id: string) => {
    const { link } = await client.site.createPasswordReset(id);
    setReset({ name: nameOf(id), link });
  };
  return (
    <PeopleSettings
      snapshot={{ query, people, loading: page.loading, more: page.more, reset }}
      actions={{
        search: setQuery,
        more: page.loadMore,
        setRole,
        reset: (id) => void attempt(() => makeLink(id)),
        copyReset: () => void copyText(reset?.link ?? '').then(() => ui.say(strings.common.copied)),
      }}
    />
  );
}
