import { nothing } from '../testing/fixtures';
import { EmptyView } from './EmptyView';

export const Welcome = () => (
  <EmptyView
    logo
    title="Hello, Mira"
    text="Pick a conversation."
    actions={[
      { label: 'Invite people', primary: true, onPress: nothing },
      { label: 'Browse channels', onPress: nothing },
    ]}
  />
);
export const Nothing = () => (
  <EmptyView icon="compass" title="There is nothing here" text="The address may be old." />
);
