import { plural } from './words';

export const common = {
  appName: 'Klatch',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  saved: 'Saved',
  back: 'Back',
  copy: 'Copy',
  copied: 'Copied',
  tryAgain: 'Try again',
  loading: 'Loading…',
  more: 'Show more',
  you: 'you',
  unknownPerson: 'Somebody',
  closedAccount: 'Closed account',
  skipToMessages: 'Skip to the messages',
  presence: { online: 'Online', away: 'Away', offline: 'Offline' },
  roles: { owner: 'Owner', moderator: 'Moderator', member: 'Member' },
  members: (count: number) => plural(count, { one: '# member', other: '# members' }),
  nothingFound: 'Nothing found',
  notFoundTitle: 'There is nothing here',
  notFoundText: 'The address may be old, or the conversation is one you are not in.',
  toStart: 'Go to your conversations',
};

export const connection = {
  connecting: 'Connecting…',
  offline: (since: string) => `No connection since ${since}. What you write waits here and is sent later.`,
  noNetwork: (since: string) =>
    `This device is offline since ${since}. What you write waits here and is sent later.`,
  nextTry: (seconds: number) =>
    plural(seconds, { one: 'Next try in # second.', other: 'Next try in # seconds.' }),
  tryNow: 'Try now',
  back: 'Connected again',
  outdated: 'This page is older than the server. Load it again to go on.',
  refused: 'The server does not take this page back for now.',
  reload: 'Load again',
};

/** By the slug of the problem; where there is none, the server's own words are shown. */
export const problems: Record<string, string> = {
  unreachable: 'The server cannot be reached. Try again in a moment.',
  rate_limited: 'That was a bit fast. Wait a moment and try again.',
  wrong_password: 'This name and password do not belong together.',
  name_taken: 'This name is taken already.',
  invite_invalid: 'This invitation is used up or has ended. Ask for a new one.',
  invite_required: 'An invitation is needed to sign up here.',
  reset_invalid: 'This link is used up or has ended. Ask for a new one.',
  too_large: 'This is too long.',
  signed_out: 'Your session has ended. Sign in again.',
  registration_closed: 'Nobody can sign up here at present.',
  not_found: 'This does not exist, or is not for you to see.',
  not_allowed: 'Your role does not allow this.',
  blocked: 'One of you has blocked the other.',
  body_too_long: 'This is too long.',
  last_owner: 'You are the last owner: make somebody else an owner first.',
  not_a_member: 'You are not in this conversation any more.',
  no_such_message: 'The message does not exist any more.',
  message_deleted: 'The message was deleted meanwhile.',
  too_many_reactions: 'There are too many different reactions already.',
  too_many_pins: 'Too many messages are pinned already.',
  undecidable: 'This conversation is damaged. Whoever runs the site can repair it and deliver this.',
};
