// What crosses the wire, as the server's own types say. What may be left out is never null; what may be null is never left out.
// Generated from crates/protocol by `make codegen`; do not edit.

/** What an account may do on its site. */
export type AccountRole = 'member' | 'owner';

/** Whether an account is in use. */
export type AccountState = 'active' | 'closed' | 'imported';

/** What a message says. */
export type Body = {
  /** Whether it tells what its author does (`/me`). */
  emote?: boolean;
  /** The text. */
  text: string;
  type: 'text';
} | {
  /** The text. */
  text: string;
  type: 'notice';
} | {
  type: 'unsupported';
};

/** A channel in the directory. */
export type ChannelItem = {
  /** Its id. */
  id: string;
  /** Whether one is among them. */
  joined: boolean;
  /** How many members it has. */
  members: number;
  /** Its name. */
  name: string;
  /** Its topic. */
  topic: string;
};

/** A frame from a client. */
export type ClientFrame = {
  /** What it can do beyond the version. */
  capabilities?: string[];
  /** What the client is. */
  client?: ClientInfo;
  /** The versions that the client speaks. */
  protocol: number[];
  /** The access token. */
  token: string;
  type: 'hello';
} | {
  /** `next` of the page before. */
  after?: string;
  /** The last seq of each conversation that the client holds. */
  have?: Record<string, number>;
  type: 'sync';
} | NewCommand & {
  /** Which. */
  conversation: string;
} & {
  type: 'command';
} | {
  /** Which commands. */
  commands: Confirmed[];
  type: 'confirm';
} | {
  /** Which conversation. */
  conversation: string;
  /** Received up to here. */
  delivered?: number;
  /** Read up to here. */
  read?: ReadMove;
  type: 'cursor';
} | {
  /** Where. */
  conversation: string;
  /** Whether. */
  on: boolean;
  type: 'typing';
} | {
  /** Whether. */
  state: DeviceState;
  type: 'presence';
} | {
  type: 'watch';
  /** Who. */
  users: string[];
} | {
  /** Which. */
  conversations: string[];
  type: 'open';
} | {
  type: 'ping';
};

/** What a client is. */
export type ClientInfo = {
  /** Its name. */
  name?: string;
  /** Its version. */
  version?: string;
};

/** Closes one's account. */
export type Closure = {
  /** The password. */
  password: string;
};

/** What became of a command. */
export type CommandAnswer = {
  /** The conversation. */
  conversation: string;
  /** The command. */
  id: string;
  /** Whether it took effect before. */
  repeated: boolean;
  /** The seq of its event. */
  seq: number;
};

/** What is wanted. */
export type CommandBody = {
  /** What. */
  body: Body;
  kind: 'send';
  /** Who is mentioned. */
  mentions?: string[];
  /** The messages it answers. */
  replies?: string[];
  /** The message whose thread it belongs to. */
  thread?: string;
} | {
  /** What it shall say. */
  body: Body;
  kind: 'edit';
  /** Who is mentioned. */
  mentions?: string[];
  /** Which message. */
  target: string;
} | {
  kind: 'delete';
  /** Which message. */
  target: string;
} | {
  /** The emoji. */
  emoji: string;
  kind: 'react';
  /** Which message. */
  target: string;
} | {
  /** The emoji. */
  emoji: string;
  kind: 'unreact';
  /** Which message. */
  target: string;
} | {
  kind: 'pin';
  /** Which. */
  target: string;
} | {
  kind: 'unpin';
  /** Which. */
  target: string;
} | {
  kind: 'join';
} | {
  kind: 'leave';
} | {
  kind: 'add';
  /** Who. */
  user: string;
} | {
  kind: 'remove';
  /** Who. */
  user: string;
} | {
  kind: 'set_role';
  /** To what. */
  role: MemberRole;
  /** Whose. */
  user: string;
} | {
  /** How far back members may read. */
  history?: HistoryMode;
  kind: 'change';
  /** The new name. */
  name?: string;
  /** The new topic. */
  topic?: string;
};

/** A command whose answer a client knows. */
export type Confirmed = {
  /** Where it was given. */
  conversation: string;
  /** Which. */
  id: string;
};

/** A conversation, as one of its members sees it in their list. */
export type Conversation = {
  /** In an answer to `sync`: too much follows; begin with a page of history. */
  afresh?: boolean;
  /** How far one has received. */
  delivered: number;
  /** In an answer to `sync`: what follows after what the client has. */
  events?: Event[];
  /** Where it stands. */
  head: Head;
  /** How far back members may read. */
  history: HistoryMode;
  /** Its id. */
  id: string;
  /** The event with which one came. */
  joined_seq: number;
  /** What sort it is. */
  kind: ConversationKind;
  /** The newest message, for a preview. */
  last: Event | null;
  /** How many members there are. */
  members: number;
  /** Mentions after that. */
  mentions: number;
  /** Its name; empty in a direct one. */
  name: string;
  /** How far one has read. */
  read: ReadCursor;
  /** One's own role. */
  role: MemberRole;
  /** One's own settings. */
  settings: ConversationSettings;
  /** Its topic. */
  topic: string;
  /** The other one, in a direct conversation. */
  with?: string;
};

/** What sort of conversation it is. */
export type ConversationKind = 'direct' | 'group' | 'channel';

/** One's own settings for a conversation. */
export type ConversationSettings = {
  /** Whether it is one of one's favourites. */
  favourite: boolean;
  /** What one wants to be told. */
  notify: NotifyLevel;
};

/** A cursor to move. */
export type CursorMove = {
  /** Received up to here. */
  delivered?: number;
  /** Read up to here. */
  read?: ReadMove;
};

/** The deletion of a message. */
export type DeletedMark = {
  /** When. */
  at: number;
  /** Who. */
  by: string;
  /** The event. */
  seq: number;
};

/** Whether somebody is in front of a device. */
export type DeviceState = 'online' | 'away';

/** The latest edit of a message. */
export type EditedMark = {
  /** When. */
  at: number;
  /** What the message says now; null where its author was erased. */
  body: Body | null;
  /** Who is mentioned now. */
  mentions: string[];
  /** The event. */
  seq: number;
};

/** An event of a conversation. */
export type Event = EventBody & {
  /** The server's time, milliseconds since 1970. */
  at: number;
  /** Who did it. */
  author: string;
  /** The time that the client claimed, or at which something imported was said. */
  claimed_at?: number;
  /** The id of its command; a message's id. */
  id: string;
  /** Where it was imported from. */
  origin?: Origin;
  /** Its place: 1, 2, 3, … without holes. */
  seq: number;
  /** Messages up to and with this one that count as unread. */
  worthy: number;
};

/** What happened. */
export type EventBody = {
  /** What sort it is. */
  conversation_kind: ConversationKind;
  /** How far back members may read. */
  history: HistoryMode;
  kind: 'created';
  /** Who was in it from the start, besides the author. */
  members: string[];
  /** Its name. */
  name: string;
  /** Its topic. */
  topic: string;
} | {
  /** How far back members may read now. */
  history?: HistoryMode;
  kind: 'changed';
  /** The new name. */
  name?: string;
  /** The new topic. */
  topic?: string;
} | {
  kind: 'joined';
  /** As what. */
  role: MemberRole;
  /** Who. */
  user: string;
} | {
  kind: 'left';
  /** Who: the author. */
  user: string;
} | {
  kind: 'removed';
  /** Who. */
  user: string;
} | {
  kind: 'role_set';
  /** To what. */
  role: MemberRole;
  /** Whose. */
  user: string;
} | {
  /** What it says; null once erased. */
  body: Body | null;
  /** Whether it was erased. */
  erased?: boolean;
  kind: 'sent';
  /** Who is mentioned. */
  mentions: string[];
  /** The messages that it answers. */
  replies: MessageLink[];
  /** The message whose thread it belongs to. */
  thread?: MessageLink;
} | {
  /** What it says; null once erased. */
  body: Body | null;
  /** Whether it was erased. */
  erased?: boolean;
  kind: 'edited';
  /** Who is mentioned. */
  mentions: string[];
  /** Which. */
  target: MessageLink;
} | {
  kind: 'deleted';
  /** Which. */
  target: MessageLink;
} | {
  /** The emoji. */
  emoji: string;
  kind: 'reacted';
  /** Which message. */
  target: MessageLink;
} | {
  /** The emoji. */
  emoji: string;
  kind: 'unreacted';
  /** Which message. */
  target: MessageLink;
} | {
  kind: 'pinned';
  /** Which. */
  target: MessageLink;
} | {
  kind: 'unpinned';
  /** Which. */
  target: MessageLink;
} | {
  kind: 'unsupported';
};

/** Where a conversation stands. */
export type Head = {
  /** Its time, milliseconds since 1970. */
  at: number;
  /** The last event. */
  seq: number;
  /** Messages up to it that count as unread. */
  worthy: number;
};

/** Where a conversation stands. */
export type HeadItem = {
  /** Its time. */
  at: number;
  /** Which. */
  conversation: string;
  /** The last event. */
  seq: number;
  /** Messages up to it that count as unread. */
  worthy: number;
};

/** How far back a member may read. */
export type HistoryMode = 'all' | 'since_joined';

/** A contiguous range of a conversation's log, and what later events made of its messages. */
export type HistoryPage = {
  /** The events, in order. */
  events: Event[];
  /** The first seq that one may read. */
  first: number;
  /** The last event of the conversation. */
  head: number;
  /** By the seq of the message. */
  overlay: Record<string, OverlayItem>;
};

/** What became of a batch, in its order. */
export type ImportAnswer = {
  /** Each. */
  outcomes: ImportOutcome[];
};

/** Messages that were said elsewhere, in order; at most 500. */
export type ImportBatch = {
  /** The messages. */
  items: ImportItem[];
};

/** A message that was said elsewhere. */
export type ImportItem = {
  /** When it was said: milliseconds since 1970. */
  at: number;
  /** Its author there. */
  author: Origin;
  /** What was said; a `notice` counts as unread for nobody. */
  body: Body;
  /** An id derived from where it stands in its source: the same each time it is imported. */
  id: string;
  /** The messages it answers, imported before or with it. */
  replies?: string[];
};

/** What became of one message. */
export type ImportOutcome = {
  /** Which. */
  id: string;
  /** Why it is not there. */
  problem?: Problem;
  /** Whether it was there before. */
  repeated?: boolean;
  /** Where it is now. */
  seq?: number;
};

/** An invite. */
export type InviteItem = {
  /** Until when it is good: milliseconds since 1970; null: until it is taken back. */
  expires_at: number | null;
  /** Its id. */
  id: string;
  /** The page to sign up on; only in the answer to its creation. */
  link?: string;
  /** What one signs up with; only in the answer to its creation. */
  token?: string;
  /** How many people it still lets in; null: any number. */
  uses_left: number | null;
};

/** What must not be exceeded. */
export type Limits = {
  /** Commands in `confirm`. */
  confirm: number;
  /** Bytes of a frame to the server. */
  frame_bytes: number;
  /** Frames at once. */
  frames_burst: number;
  /** Frames a second thereafter. */
  frames_per_second: number;
  /** Conversations in `have`. */
  have: number;
  /** Conversations in `open`. */
  open: number;
  /** Bytes of a message's text. */
  text_bytes: number;
  /** People in `watch`. */
  watch: number;
};

/** Somebody in a conversation. */
export type MemberItem = {
  /** How far they have received. */
  delivered: number;
  /** Since which event. */
  joined_seq: number;
  /** How far they have read. */
  read: number;
  /** As what. */
  role: MemberRole;
  /** Who. */
  user: User;
};

/** What a member may do. */
export type MemberRole = 'member' | 'moderator' | 'owner';

/** A link to a message. */
export type MessageLink = {
  /** Its id. */
  id: string;
  /** Its seq. */
  seq: number;
};

/** Where a message is. */
export type MessagePlace = {
  /** Its id. */
  id: string;
  /** Its seq. */
  seq: number;
};

/** A command with what surrounds it. */
export type NewCommand = {
  /** The command that this device sent before this one to the same conversation. */
  after?: string;
  /** When it happened, by the client's clock: milliseconds since 1970. */
  claimed_at?: number;
  /** What is wanted. */
  command: CommandBody;
  /** A UUIDv7 that the client made; it becomes the id of the event. */
  id: string;
  /** The last seq that the client knew of the conversation at its first try. */
  seen?: number;
};

/** A conversation to be. */
export type NewConversation = {
  /** How far back members may read; `all` unless given. */
  history?: HistoryMode;
  /** A UUIDv7 that the client made: the id of the command and, but for direct ones, of the conversation. */
  id: string;
  /** What sort it is; a direct one where absent. */
  kind?: ConversationKind;
  /** Who else is in it from the start. */
  members?: string[];
  /** Its name; a channel needs one, a group may have one. */
  name?: string;
  /** Its topic. */
  topic?: string;
  /** The other one of a direct conversation. */
  with?: string;
};

/** Makes an invite. */
export type NewInvite = {
  /** For how many seconds it is good; without it, until it is taken back. */
  expires_in_s?: number;
  /** How many people it lets in; without it, any number. */
  uses?: number;
};

/** Sets a password with the token of such a link. */
export type NewPassword = {
  /** 8 to 256 characters. */
  password: string;
  /** The token. */
  token: string;
};

/** What somebody wants to be told about a conversation. */
export type NotifyLevel = 'all' | 'mentions' | 'none';

/** Where somebody or something was imported from. */
export type Origin = {
  /** The name there. */
  name: string;
  /** The network: `irc`, `slack`, … */
  network: string;
};

/** What later events made of a message, up to `as_of`. */
export type OverlayItem = {
  /** The last event that is in here. */
  as_of: number;
  /** Its deletion. */
  deleted?: DeletedMark;
  /** Its latest edit. */
  edited?: EditedMark;
  /** Its pin. */
  pinned?: PinnedMark;
  /** Its reactions, in the order in which the emoji first came. */
  reactions?: ReactionItem[];
};

/** Sets one's password. */
export type PasswordChange = {
  /** The password until now. */
  current: string;
  /** 8 to 256 characters. */
  new: string;
};

/** A link with which somebody sets a new password. It is shown this once. */
export type PasswordReset = {
  /** Until when it is good: milliseconds since 1970. */
  expires_at: number;
  /** To be handed to the person, by a way that only they can read. */
  link: string;
};

/** The pin of a message. */
export type PinnedMark = {
  /** When. */
  at: number;
  /** Who. */
  by: string;
};

/** The pinned messages of a conversation, which lie anywhere in its log. */
export type PinsPage = {
  /** The messages, oldest first. */
  items: Event[];
  /** By the seq of the message. */
  overlay: Record<string, OverlayItem>;
};

/** Whether somebody is here. */
export type PresenceItem = {
  /** Since when: milliseconds since 1970. */
  since: number;
  /** Whether. */
  state: PresenceState;
  /** Who. */
  user: string;
};

/** Whether somebody is here. */
export type PresenceState = 'online' | 'away' | 'offline';

/** Why something was refused (RFC 9457). In REST, `type` is the address of the slug's page, and `status` and `instance` are there; in frames, `type` is the slug alone. */
export type Problem = {
  /** What happened, and what to do about it. */
  detail?: string;
  /** The id of the request, to be found in the server's log. */
  instance?: string;
  /** After how many milliseconds to try again. */
  retry_after_ms?: number;
  /** The HTTP status. */
  status?: number;
  /** A short title, the same each time. */
  title: string;
  /** The slug, or the address that ends in it. */
  type: string;
};

/** Changes one's profile; what is absent stays. */
export type ProfileChange = {
  /** What one says about oneself: at most 500 characters. */
  about?: string;
  /** The name to be shown: 1 to 80 characters. */
  display_name?: string;
};

/** Everybody who reacted with one emoji. */
export type ReactionItem = {
  /** How many. */
  count: number;
  /** The emoji. */
  emoji: string;
  /** Whether one is among them. */
  me: boolean;
  /** The first 20 of them. */
  users: string[];
};

/** How far one has read. */
export type ReadCursor = {
  /** Up to here. */
  seq: number;
  /** The last version wins on all devices. */
  version: number;
  /** Messages up to there. */
  worthy: number;
};

/** A new place of the read cursor. */
export type ReadMove = {
  /** Read up to here. */
  seq: number;
  /** One more than the version that one knew. */
  version: number;
};

/** Renews a session. */
export type Refresh = {
  /** The refresh token, where it is not in the cookie. */
  refresh_token?: string;
};

/** Who may sign up. */
export type Registration = 'invite' | 'open' | 'closed';

/** A frame from the server. */
export type ServerFrame = {
  /** What both can do beyond the version. */
  capabilities: string[];
  /** What must not be exceeded. */
  limits: Limits;
  /** The version that both will use. */
  protocol: number;
  /** Milliseconds since 1970. */
  server_time: number;
  /** The session of this device. */
  session: string;
  type: 'ready';
  /** Who one is. */
  user: User;
  /** The workspace. */
  workspace: string;
} | {
  /** Of those that the client has: which are not one's own any more. */
  gone: string[];
  /** At most 200, newest activity first. */
  items: Conversation[];
  /** Where the next page begins. */
  next: string | null;
  type: 'conversations';
} | {
  /** Which. */
  item: Conversation;
  type: 'conversation';
} | {
  /** Where. */
  conversation: string;
  /** What. */
  events: Event[];
  type: 'events';
} | {
  /** Where. */
  conversation: string;
  /** Which. */
  id: string;
  type: 'accepted';
} | {
  /** Where. */
  conversation: string;
  /** Which. */
  id: string;
  /** Whether it took effect before. */
  repeated: boolean;
  /** The seq of its event. */
  seq: number;
  type: 'committed';
} | {
  /** Where. */
  conversation: string;
  /** Which. */
  id: string;
  /** Why. */
  problem: Problem;
  type: 'rejected';
} | {
  /** Each. */
  heads: HeadItem[];
  type: 'head';
} | {
  /** Where. */
  conversation: string;
  /** Received up to here. */
  delivered?: number;
  /** Read up to here. */
  read?: ReadCursor;
  type: 'cursor';
  /** Who. */
  user: string;
} | {
  /** Where. */
  conversation: string;
  /** Whether. */
  on: boolean;
  type: 'typing';
  /** Who. */
  user: string;
} | {
  type: 'presence';
  /** Each. */
  users: PresenceItem[];
} | {
  type: 'user';
  /** Theirs. */
  user: User;
} | {
  /** Whom one blocks. */
  blocks?: string[];
  type: 'account';
} | {
  /** The `type` of the frame, if it had one. */
  of?: string;
  /** Why. */
  problem: Problem;
  type: 'error';
} | {
  type: 'pong';
};

/** A session, as it is when one signed in or renewed it. */
export type SessionAnswer = {
  /** For `Authorization: Bearer`, and for the gateway's `hello`. */
  access_token: string;
  /** For how long it is good. */
  expires_in_s: number;
  /** For the next renewal, unless it is in the cookie. */
  refresh_token?: string;
  /** The session. */
  session: SessionItem;
  /** Who one is. */
  user: User;
};

/** A device that is signed in. */
export type SessionItem = {
  /** Since when: milliseconds since 1970. */
  created_at: number;
  /** Whether it is the one that asks. */
  current: boolean;
  /** What it is called. */
  device: string;
  /** Its id. */
  id: string;
  /** When it was last renewed: milliseconds since 1970. */
  last_used_at: number;
};

/** One's own settings for a conversation; what is left out stays. */
export type SettingsChange = {
  /** Whether it is one of one's favourites. */
  favourite?: boolean;
  /** What one wants to be told. */
  notify?: NotifyLevel;
};

/** Signs in. */
export type SignIn = {
  /** Whether the refresh token goes into a cookie (browsers) rather than into the answer. */
  cookie?: boolean;
  /** What the device is called in the list of sessions. */
  device?: string;
  /** The name. */
  name: string;
  /** The password. */
  password: string;
};

/** Signs up. */
export type SignUp = {
  /** Whether the refresh token goes into a cookie (browsers) rather than into the answer. */
  cookie?: boolean;
  /** What the device is called in the list of sessions. */
  device?: string;
  /** The name to be shown; without one, the name. */
  display_name?: string;
  /** The token of an invite, or of the claim that makes an owner. */
  invite?: string;
  /** The name to sign in with: 2 to 32 of a to z, digits, dots, hyphens and underscores. Capitals become small. */
  name: string;
  /** 8 to 256 characters. */
  password: string;
};

/** Changes the site; what is absent stays. */
export type SiteChange = {
  /** Its name: 1 to 80 characters. */
  name?: string;
  /** Who may sign up. */
  registration?: Registration;
};

/** The site, as everybody may know it. */
export type SiteInfo = {
  /** Its name. */
  name: string;
  /** Whether nobody runs it yet: whoever has the claim link becomes its owner. */
  needs_owner: boolean;
  /** Who may sign up. */
  registration: Registration;
  /** The version of the server. */
  version: string;
};

/** A person, as others see them. */
export type User = {
  /** What they say about themselves. */
  about: string;
  /** The name to be shown. */
  display_name: string;
  /** The id. */
  id: string;
  /** The name to sign in and to be mentioned with: unique in the workspace, lower case. */
  name: string;
  /** Where they come from, if they were imported. */
  origin?: Origin;
  /** What they may do on this site. */
  role: AccountRole;
  /** Whether the account is in use. */
  state: AccountState;
};

/** Changes a person's place on the site. */
export type UserChange = {
  /** What they may do on the site. */
  role: AccountRole;
};
