// The shapes REST answers with, under the names that they have here.

export type {
  ChannelItem as ChannelListing,
  CommandAnswer,
  HistoryPage,
  InviteItem as Invite,
  MemberItem as Member,
  NewConversation,
  OverlayItem as Overlay,
  PasswordReset,
  PinsPage,
  ReactionItem as OverlayReaction,
  SessionAnswer,
  SiteInfo,
} from './wire';

/** A page of a list; `next` is given back to get the page after it, and is null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}
