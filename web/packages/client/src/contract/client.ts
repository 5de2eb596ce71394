// The facade: everything an app may ask of the client. Reads are `Readable`s; writes are promises that reject with a
// `ProblemError`, except what waits in the outbox, which never rejects and shows its outcome in the timeline.
import type { ConversationCommand } from '../protocol/commands';
import type { CommandId, ConversationId, MessageId, Seq, SessionId, UserId } from '../protocol/ids';
import type {
  ConversationKind,
  ConversationSettings,
  Device,
  HistorySetting,
  Limits,
  MemberRole,
  Presence,
  User,
} from '../protocol/objects';
import type { ChannelListing, Invite, Member, Page, PasswordReset, SiteInfo } from '../protocol/rest';
import type { Readable } from '../readable';
import type { ConversationItem, FailedCommand, MessageItem, Receipt, UnreadTotals } from './items';
import type { Anchor, ConnectionState, SessionState, TimelineSnapshot } from './states';

export interface KlatchClient {
  /** Looks for a session and, if there is one, connects. Call once. */
  start(): void;
  /** Ends everything this tab does: socket, timers, locks. The session stays. */
  stop(): Promise<void>;

  readonly connection: Readable<ConnectionState>;
  /** Connects now instead of at `nextTryAt`. */
  tryNow(): void;
  /** What the server allows, by the names of docs/protocol/limits.md; empty until connected. */
  readonly limits: Readable<Limits>;

  readonly session: SessionApi;
  readonly account: AccountApi;
  readonly site: SiteApi;
  readonly people: PeopleApi;
  readonly conversations: ConversationsApi;
  readonly messages: MessagesApi;
  readonly drafts: DraftsApi;
}

export interface SessionApi {
  readonly state: Readable<SessionState>;
  signUp(request: SignUp): Promise<void>;
  signIn(request: { name: string; password: string; device?: string }): Promise<void>;
  /** Also forgets drafts and unsent messages of this browser. */
  signOut(): Promise<void>;
  /** One's devices. */
  list(): Promise<Device[]>;
  revoke(session: SessionId): Promise<void>;
  /** With the token of a reset link. */
  resetPassword(token: string, password: string): Promise<void>;
}

export interface SignUp {
  name: string;
  password: string;
  display_name?: string;
  /** The token of an invite link. */
  invite?: string;
  device?: string;
}

export interface AccountApi {
  /** Oneself; undefined while signed out. */
  readonly me: Readable<User | undefined>;
  changeProfile(change: { display_name?: string; about?: string }): Promise<void>;
  /** All other sessions end. */
  changePassword(current: string, next: string): Promise<void>;
  /** For good: one's messages become unreadable. */
  close(password: string): Promise<void>;
  readonly blocks: Readable<ReadonlySet<UserId>>;
  block(user: UserId): Promise<void>;
  unblock(user: UserId): Promise<void>;
}

export interface SiteApi {
  /** Needs no session. */
  info(): Promise<SiteInfo>;
  /** Owners, as all below. */
  change(change: { name?: string; registration?: SiteInfo['registration'] }): Promise<SiteInfo>;
  invites(): Promise<Invite[]>;
  createInvite(request: { uses?: number; expires_in_s?: number }): Promise<Invite>;
  revokeInvite(id: string): Promise<void>;
  createPasswordReset(user: UserId): Promise<PasswordReset>;
  /** Refused for the last owner. */
  setRole(user: UserId, role: User['role']): Promise<void>;
}

export interface PeopleApi {
  /** A person; undefined until known. Being subscribed to is what fetches it. */
  get(user: UserId): Readable<User | undefined>;
  /** All people known by now, for names in lists. */
  readonly known: Readable<ReadonlyMap<UserId, User>>;
  search(query: string, options?: ListOptions): Promise<Page<User>>;
  /** Undefined until told: name the person in `watch`. */
  presence(user: UserId): Readable<Presence | undefined>;
  /** Whose presence and profile this tab shows (at most 200); replaces the former set. */
  watch(users: readonly UserId[]): void;
  /** This device's own state. */
  setPresence(state: 'online' | 'away'): void;
}

export interface ListOptions {
  after?: string;
  limit?: number;
}

export interface ConversationsApi {
  /** One's own, newest activity first. */
  readonly list: Readable<readonly ConversationItem[]>;
  readonly totals: Readable<UnreadTotals>;
  get(conversation: ConversationId): Readable<ConversationItem | undefined>;
  /** Which are on the screen (at most 20); replaces the former set. */
  open(conversations: readonly ConversationId[]): void;

  create(request: NewGroup): Promise<ConversationId>;
  /** The one direct conversation with this person, made if there is none. */
  direct(user: UserId): Promise<ConversationId>;
  join(channel: ConversationId): Promise<void>;
  leave(conversation: ConversationId): Promise<void>;
  add(conversation: ConversationId, user: UserId): Promise<void>;
  remove(conversation: ConversationId, user: UserId): Promise<void>;
  setRole(conversation: ConversationId, user: UserId, role: MemberRole): Promise<void>;
  change(
    conversation: ConversationId,
    change: Omit<Extract<ConversationCommand, { kind: 'change' }>, 'kind'>,
  ): Promise<void>;
  /** Shown at once, rolled back if refused. */
  changeSettings(conversation: ConversationId, change: Partial<ConversationSettings>): Promise<void>;
  /** One channel, also where one is not in it. */
  channel(id: ConversationId): Promise<ChannelListing>;
  /** Channels to join. */
  channels(query: string, options?: ListOptions): Promise<Page<ChannelListing>>;
  members(conversation: ConversationId, query?: string, options?: ListOptions): Promise<Page<Member>>;

  /** Everything up to `seq` was seen. Never moves back; calls are gathered. */
  markRead(conversation: ConversationId, seq: Seq): void;
  /** Sets the read cursor right before this message, on all devices. */
  markUnread(conversation: ConversationId, seq: Seq): void;
  /** The others' cursors, as far as they are known (small conversations: all, once `members` was asked). */
  receipts(conversation: ConversationId): Readable<readonly Receipt[]>;
  /** Who is typing, oneself apart. */
  typing(conversation: ConversationId): Readable<readonly UserId[]>;
  /** Call at each keystroke (`true`) and when emptied or sent (`false`): repeats are spared. */
  setTyping(conversation: ConversationId, on: boolean): void;
}

export interface NewGroup {
  kind: Exclude<ConversationKind, 'direct'>;
  name: string;
  topic?: string;
  history?: HistorySetting;
  members?: UserId[];
}

export interface MessagesApi {
  /** A window on a conversation's endless history. Dispose of it when it leaves the screen. */
  timeline(conversation: ConversationId, anchor?: Anchor): Timeline;

  /** Shown at once as `sending`; survives a reload. The id is known at once. */
  send(conversation: ConversationId, message: OutgoingMessage): MessageId;
  edit(conversation: ConversationId, target: MessageId, text: string, mentions?: UserId[]): CommandId;
  delete(conversation: ConversationId, target: MessageId): CommandId;
  react(conversation: ConversationId, target: MessageId, emoji: string): CommandId;
  unreact(conversation: ConversationId, target: MessageId, emoji: string): CommandId;
  pin(conversation: ConversationId, target: MessageId): CommandId;
  unpin(conversation: ConversationId, target: MessageId): CommandId;

  /** Refused commands of all conversations, oldest first: a failed message is also in its timeline. */
  readonly failed: Readable<readonly FailedCommand[]>;
  /** Sends a refused command again, with its id, after what waits already. */
  retry(command: CommandId): void;
  discard(command: CommandId): void;

  /** Loads a message that is not in memory (the target of a reply); undefined if there is no such message. */
  load(conversation: ConversationId, seq: Seq): Promise<MessageItem | undefined>;
  pins(conversation: ConversationId): Promise<readonly MessageItem[]>;
  /** `listener` hears of each new message of others as it arrives live (not from history or while catching up). */
  onArrival(listener: (arrival: Arrival) => void): () => void;
}

export interface Arrival {
  readonly conversation: ConversationItem;
  readonly message: MessageItem;
}

export interface OutgoingMessage {
  text: string;
  emote?: boolean;
  mentions?: UserId[];
  replies?: MessageId[];
  thread?: MessageId;
}

export interface Timeline extends Readable<TimelineSnapshot> {
  goTo(anchor: Anchor): void;
  /** Resolves when the edge has moved or could not: see `older` and `newer` of the snapshot. */
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  dispose(): void;
}

export interface DraftsApi {
  get(conversation: ConversationId): Readable<Draft | undefined>;
  /** Persisted shortly after; an empty text with no reply removes it. */
  set(conversation: ConversationId, draft: Draft): void;
  /** Conversations that have a draft, for their mark in the sidebar. */
  readonly all: Readable<ReadonlySet<ConversationId>>;
}

export interface Draft {
  readonly text: string;
  /** The message being answered. */
  readonly reply?: MessageId;
  /** The message being edited. */
  readonly edit?: MessageId;
}
