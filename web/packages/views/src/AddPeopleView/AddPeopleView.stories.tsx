import { picker } from '../PeoplePicker/PeoplePicker.stories';
import { nothing } from '../testing/fixtures';
import { AddPeopleView } from './AddPeopleView';

export const ToOne = () => (
  <AddPeopleView title="Write to a person" people={{ ...picker, chosen: [] }} onClose={nothing} />
);
export const Several = () => (
  <AddPeopleView
    title="Add people to general"
    people={picker}
    submit={{ label: 'Add', busy: false, onPress: nothing }}
    onClose={nothing}
  />
);
