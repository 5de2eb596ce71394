import { nothing } from '../testing/fixtures';
import { ShellView } from './ShellView';

export const ThreePanes = () => (
  <ShellView
    sidebar={<p>Conversations</p>}
    main={<h2>Messages</h2>}
    panel={<p>Details</p>}
    pane="main"
    widths={{ sidebar: 260, panel: 300 }}
    onWidths={nothing}
  />
);
