import { picker } from '../PeoplePicker/PeoplePicker.stories';
import { nothing } from '../testing/fixtures';
import { CreateConversationView } from './CreateConversationView';

export const Channel = () => (
  <CreateConversationView kind="channel" busy={false} people={picker} onCreate={nothing} onClose={nothing} />
);
export const Group = () => (
  <CreateConversationView kind="group" busy={false} people={picker} onCreate={nothing} onClose={nothing} />
);
