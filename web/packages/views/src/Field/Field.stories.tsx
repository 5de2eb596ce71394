import { nothing } from '../testing/fixtures';
import { Choice, Switch } from './Choice';
import { SelectField, TextArea, TextField } from './Field';

export const Text = () => (
  <>
    <TextField label="Name" hint="Letters and digits" />
    <TextField label="Name" error="Write your name" defaultValue="?" />
    <TextArea label="About you" />
    <SelectField label="Ends after" options={[{ value: '1', label: '1 hour' }]} />
  </>
);

export const Choices = () => (
  <>
    <Choice
      label="Colours"
      value="dark"
      onChange={nothing}
      options={[
        { value: 'light', label: 'Light' },
        { value: 'dark', label: 'Dark', hint: 'Easy on the eyes' },
      ]}
    />
    <Switch label="Favourite" hint="At the top" checked onChange={nothing} />
    <Switch label="Sound" checked={false} onChange={nothing} />
  </>
);
