import { aiko, jonas, mira, nothing } from '../testing/fixtures';
import { PeoplePicker } from './PeoplePicker';

export const picker = {
  found: [aiko, jonas],
  chosen: [mira],
  loading: false,
  query: '',
  onSearch: nothing,
  onChoose: nothing,
  onUnchoose: nothing,
};

export const Full = () => <PeoplePicker label="People" {...picker} />;
export const Nobody = () => <PeoplePicker label="People" {...picker} found={[]} chosen={[]} query="zz" />;
