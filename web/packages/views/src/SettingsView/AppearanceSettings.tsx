import { Choice, Switch } from '../Field/Choice';
import { keysHere } from '../text/keys';
import { useStrings } from '../strings/strings';
import styles from './settings.module.css';

export interface AppearanceSnapshot {
  theme: 'system' | 'light' | 'dark';
  density: 'comfortable' | 'compact';
  previews: boolean;
  enterSends: boolean;
}

interface Props {
  snapshot: AppearanceSnapshot;
  actions: { change: (change: Partial<AppearanceSnapshot>) => void };
}

export function AppearanceSettings({ snapshot, actions }: Props) {
  const words = useStrings().settings;
  return (
    <div className={styles.form}>
      <Choice
        label={words.theme}
        value={snapshot.theme}
        onChange={(theme) => actions.change({ theme })}
        options={[
          { value: 'system', label: words.themeSystem },
          { value: 'light', label: words.themeLight },
          { value: 'dark', label: words.themeDark },
        ]}
      />
      <Choice
        label={words.density}
        value={snapshot.density}
        onChange={(density) => actions.change({ density })}
        options={[
          { value: 'comfortable', label: words.comfortable },
          { value: 'compact', label: words.compact },
        ]}
      />
      <Switch
        label={words.previews}
        checked={snapshot.previews}
        onChange={(previews) => actions.change({ previews })}
      />
      <Switch
        label={words.enterSends}
        hint={words.enterSendsHint(keysHere('Ctrl+Enter'))}
        checked={snapshot.enterSends}
        onChange={(enterSends) => actions.change({ enterSends })}
      />
    </div>
  );
}
