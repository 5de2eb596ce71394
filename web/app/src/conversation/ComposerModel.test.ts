import type { KlatchClient } from '@klatch/client';
import { en } from '@klatch/views';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFakeClient } from '../fake/FakeClient';
import { createRouter } from '../router/router';
import { createPreferences } from '../services/preferences';
import { createUi } from '../services/ui';
import { Watching } from '../services/watching';
import { ComposerModel } from './ComposerModel';
import { TimelineModel } from './TimelineModel';

const conversation = 'general';

/** What this tab shows; all that others do comes by `drafts`. */
function composerOf(client: KlatchClient): ComposerModel {
  const services = {
    ...{ client, preferences: createPreferences(), router: createRouter(), ui: createUi() },
    watching: new Watching(client),
  };
  const timeline = new TimelineModel(services, conversation, en, null);
  const composer = new ComposerModel(services, conversation, en, timeline);
  onTestFinished(composer.start());
  return composer;
}

describe('a composer', () => {
  let client: KlatchClient;
  let composer: ComposerModel;
  const shown = () => composer.snapshot.get();
  const elsewhere = (text: string, more: { reply?: string; edit?: string } = {}) =>
    client.drafts.set(conversation, { text, ...more });

  beforeEach(async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
    onTestFinished(() => void vi.unstubAllGlobals());
    client = await createFakeClient();
    composer = composerOf(client);
  });

  it('follows what another tab writes, letter by letter', () => {
    for (const text of ['H', 'He', 'Hel']) elsewhere(text);
    expect(shown().text).toBe('Hel');
  });

  it('is empty once another tab has sent what it shows', () => {
    elsewhere('From there');
    elsewhere('');
    expect(shown().text).toBe('');
    composer.changed('From here');
    elsewhere('');
    expect(shown().text).toBe('');
  });

  it('goes on with what another tab has written', () => {
    elsewhere('Dear ');
    composer.changed('Dear Lou');
    expect(client.drafts.get(conversation).get()).toEqual({ text: 'Dear Lou' });
    elsewhere('Dear Lou, ');
    expect(shown().text).toBe('Dear Lou, ');
  });

  it('keeps what was being written when another tab began an edit', () => {
    composer.changed('Half a thou');
    elsewhere('As it was', { edit: 'm1' });
    expect(shown()).toMatchObject({ text: 'As it was', mode: { type: 'edit' } });
    elsewhere('');
    expect(shown()).toMatchObject({ text: 'Half a thou', mode: { type: 'new' } });
  });
});
