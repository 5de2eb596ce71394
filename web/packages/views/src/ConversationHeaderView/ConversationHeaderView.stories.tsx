import { nothing } from '../testing/fixtures';
import { ConversationHeaderView } from './ConversationHeaderView';

const actions = { back: nothing, show: nothing };

export const Channel = () => (
  <ConversationHeaderView
    snapshot={{
      kind: 'channel',
      name: 'general',
      topic: 'What everybody should know',
      members: 86,
      peer: null,
      side: 'members',
    }}
    actions={actions}
  />
);

export const Direct = () => (
  <ConversationHeaderView
    snapshot={{
      kind: 'direct',
      name: 'Aiko Tanaka',
      topic: '',
      members: 2,
      peer: { id: 'a', presence: 'online' },
      side: null,
    }}
    actions={actions}
  />
);
