// The life of a connection: it comes back by itself, says honestly where it stands, and knows when not to come back.
import { describe, expect, it } from 'vitest';
import type { ConnectionState } from '../src/contract/states';
import { backoff } from '../src/backoff';
import { until } from './clock';
import { refusal } from './server/room';
import { ready, signedInTab, synced, texts, world } from './world';

describe('the connection', () => {
  it('resumes after a cut with what was missed, from what it has', async () => {
    const all = await world();
    const { server, room, bob } = all;
    server.say(room, bob, 'one');
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id);
    await ready(timeline);
    const held = room.log.length;
    await server.stop();
    server.say(room, bob, 'two');
    server.say(room, bob, 'three');
    await server.start();
    await until(
      () => texts(timeline.get().items).length === 3,
      () => timeline.get(),
    );
    expect(texts(timeline.get().items)).toEqual(['one', 'two', 'three']);
    const sync = server.frames.filter((frame) => frame.type === 'sync').at(-1);
    expect(sync?.have).toEqual({ [room.id]: held });
    expect(server.asked.get(`GET /conversations/${room.id}/events`)).toBe(1);
  });

  it('says since when it is offline and when it tries next, and tries now if asked', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    await all.server.stop();
    const state = await until(() => offline(tab.client.connection.get()));
    // Some tries later it still tells the beginning.
    const later = await until(() => {
      const now = offline(tab.client.connection.get());
      return now?.nextTryAt !== state.nextTryAt && now;
    });
    expect(later.since).toBe(state.since);
    await all.server.start();
    tab.client.tryNow();
    await synced(tab.client);
  });

  it('waits for the browser to find a network, without trying in vain', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    tab.setNetwork(false);
    const state = await until(() => offline(tab.client.connection.get()));
    expect(state.nextTryAt).toBeNull();
    tab.setNetwork(true);
    await synced(tab.client);
  });

  it('gets a new token when the old one is refused', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    all.server.tokens.clear();
    all.server.cut(4100);
    await until(() => tab.client.connection.get().state !== 'online');
    await synced(tab.client);
    expect(all.server.asked.get('POST /sessions/refresh')).toBe(1);
  });

  it.each([
    [4200, 'ended'],
    [4201, 'account-closed'],
  ])('close code %i signs out', async (code, reason) => {
    const all = await world();
    const tab = await signedInTab(all);
    all.server.cut(code);
    await until(() => tab.client.session.state.get().state === 'signed-out');
    expect(tab.client.session.state.get()).toEqual({ state: 'signed-out', reason });
    expect(tab.client.connection.get()).toEqual({ state: 'signed-out' });
    expect(tab.client.conversations.list.get()).toEqual([]);
  });

  it.each([
    [4202, 'version_unsupported'],
    [4203, 'abuse'],
  ])('close code %i does not come back', async (code, reason) => {
    const all = await world();
    const tab = await signedInTab(all);
    all.server.cut(code);
    await until(() => tab.client.connection.get().state === 'refused');
    expect(tab.client.connection.get()).toEqual({ state: 'refused', reason });
  });

  it('notices a connection that has gone silent', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    const [silent] = all.server.gateways;
    if (silent) silent.tell = () => undefined;
    await until(() => all.server.frames.some((frame) => frame.type === 'ping'));
    await until(() => all.server.gateways.size > 0 && !all.server.gateways.has(silent as never));
    await synced(tab.client);
  });

  it('syncs page by page', async () => {
    const all = await world();
    const { server, ann, bob } = all;
    server.conversationsPerPage = 3;
    for (let index = 0; index < 9; index += 1) server.addRoom('group', `room ${index}`, [ann, bob]);
    const tab = await signedInTab(all);
    expect(tab.client.conversations.list.get().length).toBe(10);
    expect(server.frames.filter((frame) => frame.type === 'sync').length).toBe(4);
  });

  it('asks again for a page that was refused for the moment', async () => {
    const all = await world();
    let refused = 0;
    all.server.misunderstand = (frame) =>
      frame.type === 'sync' && refused++ < 2 ? refusal('unavailable', 500) : null;
    const tab = await signedInTab(all);
    expect(tab.client.conversations.list.get().length).toBe(1);
    expect(refused).toBe(3);
  });

  it('forgets what is on no page any more', async () => {
    const all = await world();
    const { server, room, ann } = all;
    const tab = await signedInTab(all);
    await server.stop();
    room.members.delete(ann.id);
    await server.start();
    await until(() => tab.client.conversations.list.get().length === 0);
  });
});

describe('the back-off', () => {
  it('is min(30 s, 0.5 s × 2^attempt), times a factor from 0.5 to 1', () => {
    const waits = [0, 1, 2, 5, 6, 20].map((attempt) => [
      backoff(attempt, () => 0),
      backoff(attempt, () => 1),
    ]);
    expect(waits).toEqual([
      [250, 500],
      [500, 1000],
      [1000, 2000],
      [8000, 16_000],
      [15_000, 30_000],
      [15_000, 30_000],
    ]);
  });
});

function offline(state: ConnectionState) {
  return state.state === 'offline' ? state : null;
}
