import type { DialogState } from '../services/ui';
export default function Dialogs({ dialog }: { dialog: DialogState; onClose: () => void }) {
  return <p>{dialog.type}</p>;
}
