// What this browser keeps for one person: unsent commands and drafts, in IndexedDB. Nothing else is kept: no token, no
// history.
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';
import type { Draft } from '../contract/client';
import type { OutboxEntry } from '../outbox/entry';
import type { CommandId, ConversationId, UserId } from '../protocol/ids';

interface KlatchSchema extends DBSchema {
  outbox: { key: CommandId; value: OutboxEntry };
  drafts: { key: ConversationId; value: Draft };
}

export type Database = IDBPDatabase<KlatchSchema>;

/** Rejects where the browser has no storage to give. */
export async function openDatabase(user: UserId): Promise<Database> {
  return openDB<KlatchSchema>(nameOf(user), 1, {
    upgrade(database) {
      database.createObjectStore('outbox', { keyPath: 'id' });
      database.createObjectStore('drafts');
    },
    // Another tab wants to delete it, or a newer page to upgrade it: do not stand in the way.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
}

/** On signing out: the next person at this browser finds nothing. */
export function deleteDatabase(user: UserId): Promise<void> {
  return deleteDB(nameOf(user));
}

function nameOf(user: UserId): string {
  return `klatch-${user}`;
}
