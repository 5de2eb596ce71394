import type { ConversationItem, Member } from '@klatch/client';
import { MembersView, useStrings, type MemberSnapshot } from '@klatch/views';
import { useCallback, useMemo, useState } from 'react';
import { paths } from '../router/route';
import { useServices } from '../services/services';
import { useAttempt } from '../services/useAttempt';
import { usePresence } from '../services/usePresence';
import { personOf } from '../support/names';
import { usePaged } from '../support/usePaged';
import { useReadable } from '../support/useReadable';

const ranks = { member: 0, moderator: 1, owner: 2 };

export function MembersPanel({ conversation }: { conversation: string }) {
  const { client, router, ui } = useServices();
  const strings = useStrings();
  const attempt = useAttempt();
  const [query, setQuery] = useState('');
  const item = useReadable(useMemo(() => client.conversations.get(conversation), [client, conversation]));
  const me = useReadable(client.account.me)?.id ?? '';
  const load = useCallback(
    (after: string | undefined) =>
      client.conversations.members(conversation, query, { limit: 100, ...(after && { after }) }),
    [client, conversation, query],
  );
  const page = usePaged(`${query} ${String(item?.members)} ${String(item?.role)}`, load);
  const users = useMemo(() => page.items.slice(0, 100).map(({ user }) => user.id), [page.items]);
  const presence = usePresence('members', users);
  if (!item) return null;
  const members = page.items.map((member): MemberSnapshot => {
    const { user, role } = member;
    const person = personOf(user.id, new Map([[user.id, user]]), strings);
    const self = user.id === me;
    return {
      ...person,
      role,
      presence: presence.get(user.id) ?? 'offline',
      me: self,
      can: rights(item, member, self),
    };
  });
  const remove = (user: string) =>
    ui.dialog.set({
      type: 'sure',
      title: strings.panel.removeSure(members.find(({ id }) => id === user)?.name ?? ''),
      text: strings.panel.removeText,
      action: strings.panel.remove,
      danger: true,
      onYes: () => client.conversations.remove(conversation, user).then(page.again),
    });
  return (
    <MembersView
      snapshot={{ query, members, loading: page.loading, more: page.more, canAdd: canAdd(item) }}
      actions={{
        search: setQuery,
        more: page.loadMore,
        add: () => ui.dialog.set({ type: 'add', conversation }),
        show: (user) => router.go(paths.conversation(conversation, { panel: 'person', user })),
        setRole: (user, role) =>
          void attempt(() => client.conversations.setRole(conversation, user, role)).then(page.again),
        remove,
      }}
    />
  );
}

/** Any member of a group may add; of a channel, moderators and owners. */
function canAdd(item: ConversationItem): boolean {
  return item.kind === 'group' || (item.kind === 'channel' && item.role !== 'member');
}

/** Nobody gives a role above their own, or takes one from above them; one removes those below. */
function rights(item: ConversationItem, member: Member, self: boolean): MemberSnapshot['can'] {
  const mine = ranks[item.role];
  const theirs = ranks[member.role];
  if (item.kind === 'direct' || mine === 0 || theirs > mine) return { roles: [], remove: false };
  const all = ['owner', 'moderator', 'member'] as const;
  return {
    roles: all.filter((role) => role !== member.role && ranks[role] <= mine),
    remove: !self && theirs < mine,
  };
}
