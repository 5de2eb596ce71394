import type { KlatchClient } from '@klatch/client';
import { createContext, use } from 'react';
import type { Router } from '../router/router';
import type { PreferencesStore } from './preferences';
import type { Ui } from './ui';
import type { Watching } from './watching';

/** All that view models work with. Made once, in main. */
export interface Services {
  client: KlatchClient;
  router: Router;
  preferences: PreferencesStore;
  ui: Ui;
  watching: Watching;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (!services) throw new Error('The app is used outside of its services');
  return services;
}
