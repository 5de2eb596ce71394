import { Button } from '../Button/Button';
import { Dialog } from '../Dialog/Dialog';
import { useStrings } from '../strings/strings';

export interface SureViewProps {
  title: string;
  text: string;
  action: string;
  danger: boolean;
  onYes: () => void;
  onClose: () => void;
}

/** Asks once more before something that cannot be taken back. */
export function SureView({ title, text, action, danger, onYes, onClose }: SureViewProps) {
  const { common } = useStrings();
  return (
    <Dialog
      title={title}
      size="s"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose} data-autofocus>
            {common.cancel}
          </Button>
          <Button look={danger ? 'danger' : 'primary'} onClick={onYes}>
            {action}
          </Button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  );
}
