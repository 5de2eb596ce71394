import type { ConversationItem, User } from '@klatch/client';
import { cleanName, type PersonSnapshot, type Strings } from '@klatch/views';

export type Known = ReadonlyMap<string, User>;

/** A person as shown. */
export function personOf(id: string, known: Known, strings: Strings): PersonSnapshot {
  const user = known.get(id);
  if (!user) return { id, name: strings.common.unknownPerson, handle: '' };
  const name =
    user.state === 'closed' ? strings.common.closedAccount : cleanName(user.display_name || user.name);
  return { id, name: name || cleanName(user.name) || strings.common.unknownPerson, handle: user.name };
}

/** A conversation's name as shown: of a direct one, the other person's. */
export function conversationName(item: ConversationItem, known: Known, strings: Strings): string {
  if (item.with !== null) return personOf(item.with, known, strings).name;
  return cleanName(item.name) || strings.sidebar.nameless;
}
