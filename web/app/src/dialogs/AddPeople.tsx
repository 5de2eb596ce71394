import { AddPeopleView, useStrings } from '@klatch/views';
import { useEffect, useMemo, useState } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { conversationName } from '../support/names';
import { usePeopleSearch } from '../support/usePeopleSearch';

/** Writing to one person: choosing is all. */
export function Direct({ onClose }: { onClose: () => void }) {
  const { client, router } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const me = client.account.me.get()?.id ?? '';
  const people = usePeopleSearch(useMemo(() => new Set([me]), [me]));
  const open = (user: string) =>
    attempt(async () => {
      const conversation = await client.conversations.direct(user);
      onClose();
      router.go(paths.conversation(conversation));
    });
  return (
    <AddPeopleView
      title={strings.dialogs.direct}
      people={{ ...people, onChoose: (person) => void open(person.id) }}
      onClose={onClose}
    />
  );
}

export function Add({ conversation, onClose }: { conversation: string; onClose: () => void }) {
  const { client, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const [busy, setBusy] = useState(false);
  const here = useMembersHere(conversation);
  const people = usePeopleSearch(here);
  const item = client.conversations.get(conversation).get();
  const name = item ? conversationName(item, client.people.known.get(), strings) : '';
  const add = async () => {
    setBusy(true);
    const worked = await attempt(async () => {
      for (const { id } of people.chosen) await client.conversations.add(conversation, id);
    });
    setBusy(false);
    if (!worked) return;
    onClose();
    ui.say(strings.notices.joined(people.chosen.map((person) => person.name)));
  };
  return (
    <AddPeopleView
      title={strings.dialogs.add(name)}
      people={people}
      submit={{ label: strings.dialogs.addButton, busy, onPress: () => void add() }}
      onClose={onClose}
    />
  );
}

/** Who is in the conversation already, as far as one page tells. */
function useMembersHere(conversation: string): ReadonlySet<string> {
  const { client } = useServices();
  const [here, setHere] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    let wanted = true;
    client.conversations.members(conversation, '', { limit: 200 }).then(
      (page) => wanted && setHere(new Set(page.items.map(({ user }) => user.id))),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [client, conversation]);
  return here;
}
