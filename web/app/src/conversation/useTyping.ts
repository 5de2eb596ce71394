import { useStrings } from '@klatch/views';
import { useMemo } from 'react';
import { useServices } from '../services/services';
import { personOf } from '../support/names';
import { useReadable } from '../support/useReadable';

/** The names of those who are typing. */
export function useTyping(conversation: string): string[] {
  const { client } = useServices();
  const strings = useStrings();
  const users = useReadable(useMemo(() => client.conversations.typing(conversation), [client, conversation]));
  const known = useReadable(client.people.known);
  const blocked = useReadable(client.account.blocks);
  return users.filter((user) => !blocked.has(user)).map((user) => personOf(user, known, strings).name);
}
