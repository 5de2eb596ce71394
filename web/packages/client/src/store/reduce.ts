// The reducer: state and one action come to the next state. Pure: no clock, no chance, no I/O.
import type { Millis, UserId } from '../protocol/ids';
import type { User } from '../protocol/objects';
import type { Action } from './actions';
import { membersRead, moveRead } from './cursors';
import { pageCame } from './follow';
import { frameCame, withUsers } from './frames';
import { settled, withoutPending, withPending } from './pending';
import { initialState, type State, update, without } from './state';
import { trim } from './timeline/timeline';

export function reduce(state: State, action: Action): State {
  if (action.type === 'signed-in') return signedIn(state, action.user);
  if (action.type === 'signed-out') return initialState;
  return state.me === null ? state : reduceFor(state, action, state.me.id);
}

function reduceFor(
  state: State,
  action: Exclude<Action, { type: 'signed-in' | 'signed-out' }>,
  reader: UserId,
): State {
  switch (action.type) {
    case 'frame':
      return frameCame(state, action.frame, action.now, reader);
    case 'syncing':
      return { ...state, syncing: new Set() };
    case 'page': {
      const { conversation, page } = action;
      return settled(
        update(state, conversation, (held) => pageCame(held, page, reader)),
        conversation,
        page.events,
      );
    }
    case 'trim':
      return update(state, action.conversation, (held) => {
        const timeline = trim(held.timeline);
        return { ...held, timeline, hole: held.hole && timeline.paged };
      });
    case 'users':
      return withUsers(state, action.users);
    case 'members': {
      const users = action.members.map((member) => member.user);
      return update(withUsers(state, users), action.conversation, (held) =>
        membersRead(held, action.members, reader),
      );
    }
    case 'blocks':
      return { ...state, blocks: new Set(action.users) };
    case 'read':
      return update(state, action.conversation, (held) => moveRead(held, action.seq, action.back, reader));
    case 'settings':
      return update(state, action.conversation, (held) => ({
        ...held,
        settings: { ...held.settings, ...action.settings },
      }));
    case 'left':
      return { ...state, conversations: without(state.conversations, action.conversation) };
    case 'outbox':
      return withPending(state, action.entry);
    case 'outbox-removed':
      return withoutPending(state, action.id);
    case 'clock':
      return typingEnded(state, action.now);
  }
}

/** Somebody else starts with nothing; the same person goes on with what there is. */
function signedIn(state: State, user: User): State {
  const before = state.me?.id === user.id ? state : initialState;
  return withUsers({ ...before, me: user }, [user]);
}

function typingEnded(state: State, now: Millis): State {
  let after = state;
  for (const { id, typing } of state.conversations.values()) {
    const lasting = new Map([...typing].filter(([, until]) => until > now));
    if (lasting.size < typing.size) after = update(after, id, (held) => ({ ...held, typing: lasting }));
  }
  return after;
}
