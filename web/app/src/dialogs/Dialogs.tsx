import { KeysView } from '@klatch/views';
import type { DialogState } from '../services/ui';
import { Add, Direct } from './AddPeople';
import { Browse } from './Browse';
import { Create } from './Create';
import { Switcher } from './Switcher';

interface Props {
  dialog: Exclude<DialogState, { type: 'sure' }>;
  onClose: () => void;
}

export default function Dialogs({ dialog, onClose }: Props) {
  switch (dialog.type) {
    case 'switcher':
      return <Switcher onClose={onClose} />;
    case 'keys':
      return <KeysView onClose={onClose} />;
    case 'create':
      return <Create kind={dialog.kind} onClose={onClose} />;
    case 'direct':
      return <Direct onClose={onClose} />;
    case 'browse':
      return <Browse onClose={onClose} />;
    case 'add':
      return <Add conversation={dialog.conversation} onClose={onClose} />;
  }
}
