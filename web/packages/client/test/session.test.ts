// Sessions: only the server's own word ends one, and tabs share what one of them has.
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../src/protocol/problem';
import { until } from './clock';
import { signedInTab, synced, world } from './world';

describe('a session', () => {
  it('begins with signing up', async () => {
    const all = await world();
    const { client } = all.browser.openTab();
    await until(() => client.session.state.get().state === 'signed-out');
    expect(client.session.state.get()).toEqual({ state: 'signed-out', reason: 'none' });
    await client.session.signUp({ name: 'eve', password: 'long enough' });
    await synced(client);
    expect(client.account.me.get()?.name).toBe('eve');
  });

  it('is not asked for where there was none', async () => {
    const all = await world();
    const asked: string[] = [];
    all.server.failRest = (_method, path) => {
      asked.push(path);
      return null;
    };
    const { client } = all.browser.openTab();
    await until(() => client.session.state.get().state === 'signed-out');
    expect(asked).not.toContain('/sessions/refresh');
  });

  it('says why one may not come in', async () => {
    const all = await world();
    const { client } = all.browser.openTab();
    const refusal = client.session.signIn({ name: 'ann', password: 'wrong' });
    await expect(refusal).rejects.toThrow(ProblemError);
    await expect(refusal).rejects.toMatchObject({ type: 'wrong_credentials', problem: { status: 401 } });
  });

  it('goes on after a reload', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    tab.kill();
    const { client } = all.browser.openTab();
    await synced(client);
    expect(client.account.me.get()?.name).toBe('ann');
  });

  it('is not over because the server is away', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    tab.kill();
    await all.server.stop();
    const { client } = all.browser.openTab();
    await until(() => client.connection.get().state === 'offline');
    expect(client.session.state.get()).toEqual({ state: 'unknown' });
    await all.server.start();
    await synced(client);
  });

  it('survives a refresh whose answer was lost', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    tab.kill();
    let lost = 0;
    all.server.failRest = (_method, path) => (path === '/sessions/refresh' && lost++ < 2 ? 'lost' : null);
    const { client } = all.browser.openTab();
    await synced(client);
    expect(lost).toBeGreaterThan(2);
  });

  it('ends when the server refuses to renew it', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    all.server.tokens.clear();
    all.server.refreshTokens.clear();
    await expect(client.people.search('x')).rejects.toMatchObject({ problem: { status: 401 } });
    expect(client.session.state.get()).toEqual({ state: 'signed-out', reason: 'ended' });
  });

  it('is renewed once by ten tabs', async () => {
    const all = await world();
    const first = await signedInTab(all);
    const tabs = [first];
    while (tabs.length < 10) {
      const tab = all.browser.openTab();
      await synced(tab.client);
      tabs.push(tab);
    }
    const before = all.server.asked.get('POST /sessions/refresh') ?? 0;
    all.server.tokens.clear();
    await Promise.all(tabs.map((tab) => tab.client.conversations.channels('x').catch(() => undefined)));
    const after = all.server.asked.get('POST /sessions/refresh') ?? 0;
    expect(after - before).toBe(1);
  });

  it('signed out in one tab is signed out in all, and nothing is kept', async () => {
    const all = await world();
    const [first, second] = [await signedInTab(all), await signedInTab(all)];
    first.client.drafts.set(all.room.id, { text: 'half a' });
    await first.client.session.signOut();
    await until(() => second.client.session.state.get().state === 'signed-out');
    expect(second.client.connection.get().state).toBe('signed-out');
    const again = await signedInTab(all);
    expect(again.client.drafts.all.get().size).toBe(0);
  });

  it('begun in one tab is begun in the others', async () => {
    const all = await world();
    const waiting = all.browser.openTab();
    await until(() => waiting.client.session.state.get().state === 'signed-out');
    await signedInTab(all);
    await synced(waiting.client);
  });
});

describe('a write', () => {
  it('whose answer is lost is tried again under the same key', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    let failures = 0;
    all.server.failRest = (method, path) =>
      method === 'PATCH' && path !== '' && failures++ < 1 ? 503 : null;
    await client.conversations.changeSettings(all.room.id, { favourite: true });
    expect(failures).toBe(2);
    expect(all.room.settings.get(all.ann.id)).toMatchObject({ favourite: true });
  });

  it('that is refused rolls back what was shown', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    all.server.failRest = (method) => (method === 'PATCH' ? 403 : null);
    const change = client.conversations.changeSettings(all.room.id, { notify: 'none' });
    expect(client.conversations.get(all.room.id).get()?.settings.notify).toBe('none');
    await expect(change).rejects.toThrow(ProblemError);
    expect(client.conversations.get(all.room.id).get()?.settings.notify).toBe('all');
  });
});
