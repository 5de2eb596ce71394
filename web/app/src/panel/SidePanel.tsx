import { PanelFrame, useStrings } from '@klatch/views';
import { paths, type Side } from '../router/route';
import { useServices } from '../services/services';
import { DetailsPanel } from './DetailsPanel';
import { MembersPanel } from './MembersPanel';
import { PersonPanel } from './PersonPanel';
import { PinsPanel } from './PinsPanel';

interface Props {
  side: Side;
  conversation: string | null;
}

/** What stands beside the conversation. */
export default function SidePanel({ side, conversation }: Props) {
  const { router } = useServices();
  const words = useStrings().panel;
  const close = () => router.go(conversation ? paths.conversation(conversation) : paths.home());
  if (side.panel === 'person') {
    return (
      <PanelFrame title={words.person} onClose={close}>
        <PersonPanel key={side.user} user={side.user} />
      </PanelFrame>
    );
  }
  if (!conversation) return null;
  const Panel = { details: DetailsPanel, members: MembersPanel, pins: PinsPanel }[side.panel];
  return (
    <PanelFrame title={words[side.panel]} onClose={close}>
      <Panel key={conversation} conversation={conversation} />
    </PanelFrame>
  );
}
