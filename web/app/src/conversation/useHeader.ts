import { useStrings, type ConversationHeaderSnapshot } from '@klatch/views';
import { useMemo } from 'react';
import type { Side } from '../router/route';
import { useServices } from '../services/services';
import { usePresence } from '../services/usePresence';
import { conversationName } from '../support/names';
import { useReadable } from '../support/useReadable';

export function useHeader(conversation: string, side: Side | null): ConversationHeaderSnapshot | null {
  const { client } = useServices();
  const strings = useStrings();
  const item = useReadable(useMemo(() => client.conversations.get(conversation), [client, conversation]));
  const known = useReadable(client.people.known);
  const peers = useMemo(() => (item?.with ? [item.with] : []), [item?.with]);
  const presence = usePresence('header', peers);
  if (!item) return null;
  return {
    kind: item.kind,
    name: conversationName(item, known, strings),
    topic: item.topic,
    members: item.members,
    peer: item.with ? { id: item.with, presence: presence.get(item.with) ?? 'offline' } : null,
    side: side && side.panel !== 'person' ? side.panel : null,
  };
}
