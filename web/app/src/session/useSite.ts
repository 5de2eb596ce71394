import type { SiteInfo } from '@klatch/client';
import { useEffect } from 'react';
import { useServices } from '../services/services';
import { storeOf } from '../support/store';
import { useReadable } from '../support/useReadable';

const store = storeOf<{ site: SiteInfo | null; failed: boolean }>({ site: null, failed: false });

/** The site, asked once and again after it was changed. */
export function useSite() {
  const { client } = useServices();
  const state = useReadable(store);
  useEffect(() => {
    if (state.site || state.failed) return;
    client.site.info().then(
      (site) => store.set({ site, failed: false }),
      () => store.set({ site: null, failed: true }),
    );
  }, [client, state]);
  return {
    ...state,
    retry: () => store.set({ site: null, failed: false }),
    changed: (site: SiteInfo) => store.set({ site, failed: false }),
  };
}
