// Sending, honestly: once each, in the order of typing, whatever fails on the way.
import { describe, expect, it } from 'vitest';
import { until } from './clock';
import { refusal } from './server/room';
import type { Command } from '../src/protocol/commands';
import { messages, ready, said, signedInTab, synced, texts, world } from './world';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `message ${index}`);

describe('the outbox', () => {
  it('shows a message at once as sending, and then as sent, under the same key', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(all.room.id);
    await ready(timeline);
    const id = client.messages.send(all.room.id, { text: 'Hello' });
    const [sending] = messages(timeline.get().items);
    expect(sending).toMatchObject({ key: id, state: 'sending', seq: null, own: true });
    const sent = await until(() => messages(timeline.get().items).find((item) => item.seq !== null));
    expect(sent).toMatchObject({ key: id, state: 'sent' });
    expect(texts(timeline.get().items)).toEqual(['Hello']);
  });

  it('sends 200 messages written offline once each, in order, through limits, cuts, lost answers and a restart', async () => {
    const all = await world();
    const { server, room } = all;
    const tab = await signedInTab(all);
    await server.stop();
    const typed = numbered(200);
    for (const text of typed) tab.client.messages.send(room.id, { text });

    let taken = 0;
    let nextFreeAt = 0;
    server.refuse = () => {
      taken += 1;
      if (taken % 9 !== 0 || taken < nextFreeAt) return null;
      nextFreeAt = taken + 20;
      return refusal('rate_limited', 400);
    };
    server.loseAnswer = () => room.log.length % 37 === 0;
    await server.start();
    await until(
      () => said(room).length >= 120,
      () => said(room).length,
    );
    await server.stop();
    await server.start();
    await until(
      () => said(room).length >= 200,
      () => said(room).length,
    );
    expect(said(room)).toEqual(typed);
    await until(() => tab.client.conversations.get(room.id).get()?.waiting === 0);
    const timeline = tab.client.messages.timeline(room.id, { at: 'latest' });
    await ready(timeline);
    while (timeline.get().older === 'more') await timeline.loadOlder();
    expect(texts(timeline.get().items)).toEqual(typed);
  });

  it('survives a reload: what was not acknowledged goes out with the same id', async () => {
    const all = await world();
    const { server, room } = all;
    const tab = await signedInTab(all);
    await server.stop();
    const ids = numbered(5).map((text) => tab.client.messages.send(room.id, { text }));
    await until(() => tab.client.connection.get().state === 'offline');
    tab.kill();
    await server.start();
    const reloaded = await signedInTab(all);
    await until(
      () => said(room).length === 5,
      () => said(room),
    );
    expect(said(room)).toEqual(numbered(5));
    expect(room.log.filter((event) => event.kind === 'sent').map((event) => event.id)).toEqual(ids);
    await until(() => reloaded.client.conversations.get(room.id).get()?.waiting === 0);
  });

  it('names the one before in `after`, and keeps the `seen` of the first try', async () => {
    const all = await world();
    const { server, room } = all;
    const { client } = await signedInTab(all);
    const seen = room.log.length;
    let lost = false;
    server.loseAnswer = () => !lost && (lost = true);
    const ids = numbered(3).map((text) => client.messages.send(room.id, { text }));
    await until(() => said(room).length === 3);
    await synced(client);
    const sent = server.frames.flatMap((frame) => (frame.type === 'command' ? [frame] : []));
    expect(new Set(sent.map((frame) => frame.seen))).toEqual(new Set([seen]));
    const last = sent.filter((frame) => frame.id === ids[2]).at(-1);
    expect(last?.after).toBe(ids[1]);
    expect(said(room)).toEqual(numbered(3));
  });

  it('goes on after a refusal, which stays until one decides', async () => {
    const all = await world();
    const { server, room } = all;
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id);
    await ready(timeline);
    server.refuse = ({ command }) => (says(command) === 'message 1' ? refusal('body_too_long') : null);
    const ids = numbered(4).map((text) => client.messages.send(room.id, { text }));
    await until(
      () => said(room).length === 3 && client.messages.failed.get().length === 1,
      () => said(room),
    );
    expect(said(room)).toEqual(['message 0', 'message 2', 'message 3']);
    const failed = await until(() => messages(timeline.get().items).find(({ state }) => state === 'failed'));
    expect(failed).toMatchObject({ id: ids[1], problem: { type: 'body_too_long' } });

    server.refuse = () => null;
    client.messages.retry(ids[1] ?? '');
    await until(
      () => said(room).at(-1) === 'message 1',
      () => said(room),
    );
    await until(() => client.messages.failed.get().length === 0);
    expect(texts(timeline.get().items)).toEqual(said(room));
  });

  it('does not send again what the server keeps, and hears in the end what became of it', async () => {
    const all = await world();
    const { server, room } = all;
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id);
    await ready(timeline);
    server.keeps = () => true;
    const typed = numbered(40);
    for (const text of typed) client.messages.send(room.id, { text });
    await until(
      () => messages(timeline.get().items).every(({ state }) => state === 'accepted'),
      () => messages(timeline.get().items).map(({ state }) => state),
    );
    expect(server.kept.length).toBe(40);
    expect(client.conversations.get(room.id).get()?.waiting).toBe(40);
    server.decideKept();
    await until(() => client.conversations.get(room.id).get()?.waiting === 0);
    expect(said(room)).toEqual(typed);
    expect(texts(timeline.get().items)).toEqual(typed);
    expect(server.frames.filter(({ type }) => type === 'command').length).toBe(40);
  });

  it('hears after a reconnection that what was accepted was refused, and says that it knows', async () => {
    const all = await world();
    const { server, room } = all;
    const { client } = await signedInTab(all);
    server.keeps = () => true;
    const id = client.messages.send(room.id, { text: 'No' });
    await until(() => server.kept.length === 1);
    server.refuse = () => refusal('not_allowed');
    server.cut();
    server.decideKept();
    await until(() => client.messages.failed.get().length === 1);
    expect(client.messages.failed.get()).toMatchObject([{ id, problem: { type: 'not_allowed' } }]);
    await until(() => server.mailbox.size === 0);
    server.refuse = () => null;
    server.keeps = () => false;
    client.messages.retry(id);
    await until(() => said(room).length === 1);
    expect(client.messages.failed.get()).toEqual([]);
  });

  it('sends a retried message after what waited before it was retried', async () => {
    const all = await world();
    const { server, room } = all;
    const { client } = await signedInTab(all);
    server.refuse = () => refusal('not_allowed');
    const id = client.messages.send(room.id, { text: 'refused' });
    await until(() => client.messages.failed.get().length === 1);
    await server.stop();
    server.refuse = () => null;
    client.messages.send(room.id, { text: 'waiting' });
    client.messages.retry(id);
    await server.start();
    await until(() => said(room).length === 2);
    expect(said(room)).toEqual(['waiting', 'refused']);
  });

  it('finds the one that the server does not understand, and goes on without it', async () => {
    const all = await world();
    const { server, room } = all;
    const { client } = await signedInTab(all);
    server.misunderstand = (frame) =>
      frame.type === 'command' && says(frame.command) === 'message 2' ? refusal('invalid_request') : null;
    for (const text of numbered(5)) client.messages.send(room.id, { text });
    await until(
      () => said(room).length === 4 && client.messages.failed.get().length === 1,
      () => said(room),
    );
    expect(said(room)).toEqual(['message 0', 'message 1', 'message 3', 'message 4']);
  });

  it('refuses by itself what would not fit a frame', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    client.messages.send(all.room.id, { text: 'x'.repeat(70_000) });
    expect(client.messages.failed.get()).toMatchObject([{ problem: { type: 'body_too_long' } }]);
  });

  it('lets go of a refused message for good', async () => {
    const all = await world();
    const { server, room, browser } = all;
    const tab = await signedInTab(all);
    server.refuse = () => refusal('not_allowed');
    const id = tab.client.messages.send(room.id, { text: 'No' });
    await until(() => tab.client.conversations.get(room.id).get()?.failed === 1);
    tab.client.messages.discard(id);
    expect(tab.client.conversations.get(room.id).get()?.failed).toBe(0);
    const other = browser.openTab();
    await synced(other.client);
    expect(other.client.messages.failed.get()).toEqual([]);
  });

  it('shows a reaction at once, and rolls it back with a word why', async () => {
    const all = await world();
    const { server, room, bob } = all;
    const { id } = server.say(room, bob, 'Lunch?');
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id);
    await ready(timeline);
    server.refuse = () => refusal('too_many_reactions');
    client.messages.react(room.id, id, '👍');
    expect(messages(timeline.get().items)[0]).toMatchObject({
      state: 'changing',
      reactions: [{ emoji: '👍', count: 1, me: true }],
    });
    const back = await until(() => messages(timeline.get().items).find(({ problem }) => problem !== null));
    expect(back).toMatchObject({ state: 'sent', reactions: [], problem: { type: 'too_many_reactions' } });
    client.messages.discard(client.messages.failed.get()[0]?.id ?? '');
    expect(messages(timeline.get().items)[0]?.problem).toBeNull();
  });

  it('counts a reaction that is there already as done', async () => {
    const all = await world();
    const { server, room, ann, bob } = all;
    const { id } = server.say(room, bob, 'Lunch?');
    server.does(room, ann, { kind: 'react', target: id, emoji: '👍' });
    const { client } = await signedInTab(all);
    client.messages.react(room.id, id, '👍');
    await until(() => client.conversations.get(room.id).get()?.waiting === 0);
    expect(client.messages.failed.get()).toEqual([]);
  });
});

describe('two tabs', () => {
  it('agree: one sends what both typed, both show it', async () => {
    const all = await world();
    const { server, room } = all;
    const [first, second] = [await signedInTab(all), await signedInTab(all)];
    const timelines = [first, second].map(({ client }) => client.messages.timeline(room.id));
    await Promise.all(timelines.map(ready));
    for (let index = 0; index < 20; index += 1) {
      const { client } = index % 2 === 0 ? first : second;
      client.messages.send(room.id, { text: `message ${index}` });
    }
    await until(
      () => said(room).length === 20,
      () => said(room),
    );
    for (const timeline of timelines) {
      await until(() => messages(timeline.get().items).every(({ state }) => state === 'sent'));
      expect(texts(timeline.get().items)).toEqual(said(room));
    }
    const senders = [...server.gateways].length;
    expect(senders).toBe(2);
    const commands = server.frames.filter((frame) => frame.type === 'command');
    expect(commands.length).toBe(20);
  });

  it('one takes over when the one that sends is killed', async () => {
    const all = await world();
    const { server, room } = all;
    const [first, second] = [await signedInTab(all), await signedInTab(all)];
    server.loseAnswer = () => true;
    first.client.messages.send(room.id, { text: 'message 0' });
    second.client.messages.send(room.id, { text: 'message 1' });
    await until(() => second.client.conversations.get(room.id).get()?.waiting);
    first.kill();
    server.loseAnswer = () => false;
    await until(
      () => said(room).length === 2,
      () => said(room),
    );
    await until(() => second.client.conversations.get(room.id).get()?.waiting === 0);
    expect(said(room).toSorted()).toEqual(['message 0', 'message 1']);
  });
});

function says(command: Command): string | null {
  return command.kind === 'send' && command.body.type === 'text' ? command.body.text : null;
}
