import '@klatch/views/base.css';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { createRouter } from './router/router';
import { makeClient } from './makeClient';
import { createPreferences } from './services/preferences';
import { ServicesContext, type Services } from './services/services';
import { createUi } from './services/ui';
import { keepWindowHeight } from './services/windowHeight';
import { startNotifier } from './services/notifier';
import { startTitle } from './services/title';
import { Watching } from './services/watching';

async function start(): Promise<void> {
  const client = await makeClient();
  const preferences = createPreferences();
  const services: Services = {
    client,
    preferences,
    router: createRouter(),
    ui: createUi(),
    watching: new Watching(client),
  };
  keepWindowHeight();
  startTitle(services);
  startNotifier(services);
  client.start();
  const root = document.getElementById('root');
  if (!root) throw new Error('The page has no root');
  createRoot(root).render(
    <ServicesContext value={services}>
      <App />
    </ServicesContext>,
  );
}

void start();
