// The states of session, connection and timelines, as unions that a view can switch over.
import type { ConversationId, Millis, Seq, SessionId } from '../protocol/ids';
import type { User } from '../protocol/objects';
import type { Problem } from '../protocol/problem';
import type { TimelineItem } from './items';

export type SessionState =
  /** Not known yet whether there is a session: the server has not answered since the start. */
  | { readonly state: 'unknown' }
  | { readonly state: 'signed-out'; readonly reason: SignedOutReason }
  | { readonly state: 'signed-in'; readonly user: User; readonly session: SessionId };

export type SignedOutReason =
  /** There was no session to begin with. */
  | 'none'
  /** This person signed out, here or in another tab. */
  | 'signed-out'
  /** The session was revoked or ran out. */
  | 'ended'
  | 'account-closed';

export type ConnectionState =
  | { readonly state: 'connecting' }
  /** `synced` once every page of `sync` has come: the list of conversations is then complete. */
  | { readonly state: 'online'; readonly synced: boolean }
  /** `nextTryAt` is null while the browser says there is no network. */
  | { readonly state: 'offline'; readonly since: Millis; readonly nextTryAt: Millis | null }
  | { readonly state: 'signed-out' }
  /** The server will not take us back until the page is newer, or someone looked into it. */
  | { readonly state: 'refused'; readonly reason: 'version_unsupported' | 'abuse' };

/** Where a timeline begins. `unread` is the read cursor, and the latest where nothing is unread. */
export type Anchor =
  | { readonly at: 'latest' }
  | { readonly at: 'unread' }
  | { readonly at: 'seq'; readonly seq: Seq }
  | { readonly at: 'message'; readonly id: string }
  /** The first message on or after this time. */
  | { readonly at: 'date'; readonly ms: Millis };

export interface TimelineSnapshot {
  readonly conversation: ConversationId;
  /** `loading` and `failed` speak of the place one asked to see; what was shown before stays in `items` meanwhile. */
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly problem: Problem | null;
  /** One contiguous stretch of the conversation, oldest first; own unsent messages follow at the very end. */
  readonly items: readonly TimelineItem[];
  /** Where to scroll to after `goTo`; changes identity with each `goTo`. */
  readonly focus: { readonly seq: Seq } | null;
  readonly older: EdgeState;
  readonly newer: EdgeState;
}

/** `end`: nothing more on this side; `more`: there is; `loading`; `failed`: loading did not work, ask again. */
export type EdgeState = 'end' | 'more' | 'loading' | 'failed';
