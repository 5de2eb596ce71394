import { browserPlatform, createClient, type KlatchClient } from '@klatch/client';

/** The client of this page: the real one, or in fixtures mode one that makes everything up. */
export async function makeClient(): Promise<KlatchClient> {
  if (__FAKE__) {
    const { createFakeClient } = await import('./fake/FakeClient');
    return createFakeClient();
  }
  return createClient({ platform: browserPlatform(), baseUrl: location.origin });
}
