// Windows on history: endless both ways, honest at their edges, and calm where nothing has changed.
import { describe, expect, it } from 'vitest';
import type { Timeline } from '../src/contract/client';
import { until } from './clock';
import { messages, ready, said, signedInTab, synced, texts, world, type World } from './world';

async function longRoom(count: number): Promise<World> {
  const all = await world();
  for (let index = 0; index < count; index += 1) all.server.say(all.room, all.bob, `message ${index}`);
  return all;
}

async function toTheTop(timeline: Timeline): Promise<void> {
  while (timeline.get().older === 'more') await timeline.loadOlder();
}

describe('a timeline', () => {
  it('opens at the latest, and goes back to the beginning', async () => {
    const all = await longRoom(350);
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(all.room.id, { at: 'latest' });
    const { items, older, newer } = await ready(timeline);
    expect([texts(items).at(-1), older, newer]).toEqual(['message 349', 'more', 'end']);
    await toTheTop(timeline);
    expect(texts(timeline.get().items)).toEqual(said(all.room));
    expect(timeline.get().older).toBe('end');
  });

  it('opens where reading stopped, and goes on from there both ways', async () => {
    const all = await longRoom(400);
    all.room.reads.set(all.ann.id, { seq: 101, version: 2, worthy: 100 });
    const { client } = await signedInTab(all);
    expect(client.conversations.get(all.room.id).get()?.unread).toBe(300);
    const timeline = client.messages.timeline(all.room.id);
    const { focus, newer, items } = await ready(timeline);
    expect([focus, newer]).toEqual([{ seq: 101 }, 'more']);
    expect(texts(items)).toContain('message 99');
    while (timeline.get().newer === 'more') await timeline.loadNewer();
    await toTheTop(timeline);
    expect(texts(timeline.get().items)).toEqual(said(all.room));
  });

  it('jumps to a message by its id, to a date, and back to the latest', async () => {
    const all = await longRoom(500);
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(all.room.id, { at: 'latest' });
    await ready(timeline);
    const event = all.room.log[58];
    timeline.goTo({ at: 'message', id: event?.id ?? '' });
    await until(() => timeline.get().focus?.seq === event?.seq);
    expect(texts(timeline.get().items)).toContain('message 57');
    expect(texts(timeline.get().items)).not.toContain('message 499');
    const dated = all.room.log[250];
    timeline.goTo({ at: 'date', ms: dated?.at as number });
    await until(() => timeline.get().focus?.seq !== event?.seq && timeline.get().phase === 'ready');
    expect(all.room.log[(timeline.get().focus?.seq ?? 0) - 1]?.at).toBe(dated?.at);
    timeline.goTo({ at: 'latest' });
    expect(texts(timeline.get().items).at(-1)).toBe('message 499');
  });

  it('fills a hole by itself', async () => {
    const all = await longRoom(3);
    const { server, room, bob } = all;
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id);
    await ready(timeline);
    server.loseLive = (_user, event) => (event.body as { text?: string } | undefined)?.text === 'lost';
    server.say(room, bob, 'lost');
    server.say(room, bob, 'after');
    await until(
      () => texts(timeline.get().items).at(-1) === 'after',
      () => texts(timeline.get().items),
    );
    expect(texts(timeline.get().items)).toEqual(said(room));
  });

  it('begins anew after too long an absence, wherever it stands', async () => {
    const all = await longRoom(3);
    const { server, room, bob } = all;
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id, { at: 'latest' });
    await ready(timeline);
    await server.stop();
    for (let index = 0; index < 700; index += 1) server.say(room, bob, `later ${index}`);
    await server.start();
    await until(
      () => texts(timeline.get().items).at(-1) === 'later 699',
      () => timeline.get(),
    );
    await toTheTop(timeline);
    expect(texts(timeline.get().items)).toEqual(said(room));
  });

  it('keeps the identity of every item that has not changed', async () => {
    const all = await longRoom(20);
    const { server, room, bob } = all;
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id);
    await ready(timeline);
    const before = timeline.get().items;
    const [target] = messages(before);
    let told = 0;
    const stop = timeline.subscribe(() => (told += 1));
    server.does(room, bob, { kind: 'react', target: target?.id ?? '', emoji: '👍' });
    await until(() => timeline.get().items !== before);
    const changed = timeline.get().items.filter((item, index) => item !== before[index]);
    expect(changed).toMatchObject([{ id: target?.id, reactions: [{ emoji: '👍', count: 1, me: false }] }]);
    expect(told).toBe(1);
    stop();
  });

  it('does not stir for what happens elsewhere', async () => {
    const all = await longRoom(3);
    const other = all.server.addRoom('group', 'other', [all.ann, all.bob]);
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(all.room.id);
    await ready(timeline);
    const [snapshot, item] = [timeline.get(), client.conversations.get(all.room.id).get()];
    all.server.say(other, all.bob, 'elsewhere');
    await until(() => client.conversations.get(other.id).get()?.unread === 1);
    expect(timeline.get()).toBe(snapshot);
    expect(client.conversations.get(all.room.id).get()).toBe(item);
  });

  it('says what failed, and tries again once the server is back', async () => {
    const all = await longRoom(3);
    const { client } = await signedInTab(all);
    all.server.failRest = (_method, path) => (path.endsWith('/events') ? 500 : null);
    const timeline = client.messages.timeline(all.room.id);
    await until(() => timeline.get().phase === 'failed');
    expect(timeline.get().problem).toMatchObject({ status: 500 });
    all.server.failRest = () => null;
    all.server.cut();
    await ready(timeline);
    expect(texts(timeline.get().items).length).toBe(3);
  });

  it('shows all that was written while history could not be read', async () => {
    const all = await longRoom(3);
    const { client } = await signedInTab(all);
    all.server.failRest = (_method, path) => (path.endsWith('/events') ? 500 : null);
    const timeline = client.messages.timeline(all.room.id);
    await until(() => timeline.get().phase === 'failed');
    await all.server.stop();
    for (const text of ['one', 'two', 'three']) client.messages.send(all.room.id, { text });
    expect(texts(timeline.get().items)).toEqual(['one', 'two', 'three']);
  });

  it('shows what was written meanwhile once, also when it is saved before history can be read', async () => {
    const all = await longRoom(3);
    const { client } = await signedInTab(all);
    all.server.failRest = (_method, path) => (path.endsWith('/events') ? 500 : null);
    all.server.loseLive = () => true;
    const timeline = client.messages.timeline(all.room.id);
    await until(() => timeline.get().phase === 'failed');
    const typed = ['one', 'two', 'three'];
    for (const text of typed) client.messages.send(all.room.id, { text });
    await until(() => {
      const { items } = timeline.get();
      expect(texts(items)).toEqual(typed);
      return items.every(({ seq }) => seq !== null);
    });
  });

  it("of a conversation that is not one's own says so, until it is", async () => {
    const all = await world();
    const channel = all.server.addRoom('channel', 'open', [all.bob]);
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(channel.id);
    expect(timeline.get()).toMatchObject({ phase: 'failed', problem: { type: 'not_found' } });
    await client.conversations.join(channel.id);
    await ready(timeline);
    all.server.does(channel, all.bob, { kind: 'remove', user: all.ann.id });
    await until(() => timeline.get().problem?.type === 'not_found');
    expect(timeline.get().items).toEqual([]);
  });

  it('opens from memory without asking the server a second time', async () => {
    const all = await longRoom(30);
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(all.room.id, { at: 'latest' });
    await ready(timeline);
    timeline.dispose();
    const again = client.messages.timeline(all.room.id, { at: 'latest' });
    expect([again.get().phase, texts(again.get().items).length]).toEqual(['ready', 30]);
  });

  it('shows what is answered, also when that is far away', async () => {
    const all = await longRoom(300);
    const { server, room, bob } = all;
    const target = room.log[3];
    server.say(room, bob, 'an answer', { replies: [target?.id ?? ''] });
    const { client } = await signedInTab(all);
    const timeline = client.messages.timeline(room.id, { at: 'latest' });
    const { items } = await ready(timeline);
    const [link] = messages(items).at(-1)?.replies ?? [];
    expect(link).toEqual({ id: target?.id, seq: target?.seq, message: undefined });
    await client.messages.load(room.id, link?.seq ?? 0);
    const [loaded] = messages(timeline.get().items).at(-1)?.replies ?? [];
    expect(loaded?.message?.body).toMatchObject({ text: 'message 2' });
  });
});

describe('reading', () => {
  it('moves the cursor on all devices, and back', async () => {
    const all = await longRoom(10);
    all.room.reads.set(all.ann.id, { seq: 1, version: 1, worthy: 0 });
    const [first, second] = [await signedInTab(all), await signedInTab(all)];
    const [here, there] = [first, second].map(({ client }) => client.conversations.get(all.room.id));
    await ready(first.client.messages.timeline(all.room.id));
    expect(here?.get()?.unread).toBe(10);
    first.client.conversations.markRead(all.room.id, 6);
    expect(here?.get()?.unread).toBe(5);
    await until(() => there?.get()?.unread === 5);
    first.client.conversations.markUnread(all.room.id, 3);
    expect(here?.get()?.unread).toBe(9);
    await until(() => there?.get()?.unread === 9);
    first.client.conversations.markRead(all.room.id, 2);
    expect(here?.get()?.unread).toBe(9);
  });

  it('goes forward in the end, also where two devices moved at once', async () => {
    const all = await longRoom(10);
    const { room, ann, server } = all;
    room.reads.set(ann.id, { seq: 1, version: 1, worthy: 0 });
    const { client } = await signedInTab(all);
    // The other device's word, of the same version, comes first.
    room.reads.set(ann.id, { seq: 3, version: 2, worthy: 2 });
    client.conversations.markRead(room.id, 7);
    const read = room.reads.get(ann.id);
    server.tell(ann.id, { type: 'cursor', conversation: room.id, user: ann.id, read });
    await until(() => room.reads.get(ann.id)?.seq === 7);
    expect(client.conversations.get(room.id).get()?.read.seq).toBe(7);
  });

  it('and writing moves the cursor past what is above', async () => {
    const all = await longRoom(10);
    all.room.reads.set(all.ann.id, { seq: 1, version: 1, worthy: 0 });
    const { client } = await signedInTab(all);
    client.messages.send(all.room.id, { text: 'I am here' });
    await until(() => client.conversations.get(all.room.id).get()?.unread === 0);
    all.server.say(all.room, all.bob, 'hello');
    await until(() => client.conversations.get(all.room.id).get()?.unread === 1);
    client.conversations.markRead(all.room.id, 13);
    await until(() => all.room.reads.get(all.ann.id)?.seq === 13);
  });

  it('while offline is told once connected', async () => {
    const all = await longRoom(10);
    all.room.reads.set(all.ann.id, { seq: 1, version: 1, worthy: 0 });
    const { client } = await signedInTab(all);
    await all.server.stop();
    client.conversations.markRead(all.room.id, 11);
    await all.server.start();
    await until(() => all.room.reads.get(all.ann.id)?.seq === 11);
    await synced(client);
    expect(client.conversations.get(all.room.id).get()?.unread).toBe(0);
  });

  it('of others is shown as they go', async () => {
    const all = await longRoom(1);
    const { client } = await signedInTab(all);
    const receipts = client.conversations.receipts(all.room.id);
    const read = { seq: 4, version: 2, worthy: 1 };
    all.server.tell(all.ann.id, { type: 'cursor', conversation: all.room.id, user: all.bob.id, read });
    await until(() => receipts.get().length === 1);
    expect(receipts.get()).toEqual([{ user: all.bob.id, read: 4, delivered: 4 }]);
  });
});
