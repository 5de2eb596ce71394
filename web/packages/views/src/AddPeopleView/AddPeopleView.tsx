import { Button } from '../Button/Button';
import { Dialog } from '../Dialog/Dialog';
import { PeoplePicker, type PeoplePickerProps } from '../PeoplePicker/PeoplePicker';
import { useStrings } from '../strings/strings';

export interface AddPeopleProps {
  title: string;
  people: Omit<PeoplePickerProps, 'label'>;
  /** Absent where choosing one person is all. */
  submit?: { label: string; busy: boolean; onPress: () => void };
  onClose: () => void;
}

/** Chooses people: to write to one, or to add several. */
export function AddPeopleView({ title, people, submit, onClose }: AddPeopleProps) {
  const strings = useStrings();
  const footer = submit && (
    <>
      <Button onClick={onClose}>{strings.common.cancel}</Button>
      <Button
        look="primary"
        busy={submit.busy}
        disabled={people.chosen.length === 0}
        onClick={submit.onPress}
      >
        {submit.label}
      </Button>
    </>
  );
  return (
    <Dialog title={title} onClose={onClose} footer={footer}>
      <PeoplePicker label={strings.dialogs.people} {...people} />
    </Dialog>
  );
}
