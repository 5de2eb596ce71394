// Conversations, people, signals and drafts, through the facade.
import { describe, expect, it } from 'vitest';
import type { Arrival } from '../src/contract/client';
import { until } from './clock';
import { signedInTab, world } from './world';

describe('conversations', () => {
  it('are listed newest activity first, each item the same while nothing in it changed', async () => {
    const all = await world();
    const { server, ann, bob, room } = all;
    const other = server.addRoom('group', 'other', [ann, bob]);
    const { client } = await signedInTab(all);
    server.say(room, bob, 'first');
    await until(() => client.conversations.list.get()[0]?.id === room.id);
    const [, kept] = client.conversations.list.get();
    server.say(room, bob, 'second');
    await until(() => client.conversations.list.get()[0]?.unread === 2);
    expect(client.conversations.list.get()[1]).toBe(kept);
    server.say(other, bob, 'here');
    await until(() => client.conversations.list.get()[0]?.id === other.id);
    expect(client.conversations.totals.get()).toEqual({ conversations: 2, messages: 3, mentions: 0 });
  });

  it('are made, joined and left', async () => {
    const all = await world();
    const { server, bob } = all;
    const { client } = await signedInTab(all);
    const made = await client.conversations.create({ kind: 'group', name: 'new', members: [bob.id] });
    expect(client.conversations.get(made).get()?.name).toBe('new');
    const channel = server.addRoom('channel', 'open', [bob]);
    await client.conversations.join(channel.id);
    expect(client.conversations.get(channel.id).get()).toMatchObject({ kind: 'channel', members: 2 });
    server.say(channel, bob, 'welcome');
    await until(() => client.conversations.get(channel.id).get()?.unread === 1);
    await client.conversations.leave(channel.id);
    expect(client.conversations.get(channel.id).get()).toBeUndefined();
  });

  it('one is removed from are gone', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    all.server.does(all.room, all.bob, { kind: 'remove', user: all.ann.id });
    await until(() => client.conversations.list.get().length === 0);
  });

  it('that nobody looks at are told anew after a hole', async () => {
    const all = await world();
    const { server, room, bob } = all;
    const { client } = await signedInTab(all);
    server.loseLive = (_user, event) => event.kind === 'joined';
    server.does(room, bob, { kind: 'add', user: server.addUser('eve').id });
    server.say(room, bob, 'welcome, eve');
    await until(() => client.conversations.get(room.id).get()?.members === 3);
    server.say(room, bob, 'and on');
    await until(() => client.conversations.get(room.id).get()?.unread === 2);
    expect(server.asked.get(`GET /conversations/${room.id}`)).toBe(1);
  });

  it('count mentions', async () => {
    const all = await world();
    const { server, room, bob, ann } = all;
    const { client } = await signedInTab(all);
    const event = server.say(room, bob, 'Ann!', { mentions: [ann.id] });
    await until(() => client.conversations.get(room.id).get()?.mentions === 1);
    client.conversations.markRead(room.id, event.seq);
    expect(client.conversations.get(room.id).get()?.mentions).toBe(0);
  });

  it('tell of what arrives live, and only of that', async () => {
    const all = await world();
    const { server, room, bob } = all;
    server.say(room, bob, 'before');
    const { client } = await signedInTab(all);
    const arrivals: Arrival[] = [];
    client.messages.onArrival((arrival) => arrivals.push(arrival));
    client.messages.send(room.id, { text: 'own' });
    server.say(room, bob, 'after');
    await until(() => arrivals.length > 0);
    expect(arrivals.map(({ message }) => message.body)).toMatchObject([{ text: 'after' }]);
    await server.stop();
    server.say(room, bob, 'missed');
    await server.start();
    await until(() => client.conversations.get(room.id).get()?.last?.body !== null);
    await until(
      () => client.conversations.get(room.id).get()?.unread === 2,
      () => client.conversations.get(room.id).get(),
    );
    expect(arrivals.length).toBe(1);
  });
});

describe('people', () => {
  it('who are named are fetched together, once', async () => {
    const all = await world();
    const { server, room, bob } = all;
    const others = Array.from({ length: 5 }, (_, index) => server.addUser(`user ${index}`));
    for (const other of others) server.does(room, bob, { kind: 'add', user: other.id });
    for (const other of others) server.say(room, other, 'hi');
    const { client } = await signedInTab(all);
    client.messages.timeline(room.id, { at: 'latest' });
    await until(() => others.every(({ id }) => client.people.known.get().has(id)));
    expect(client.people.get(bob.id).get()?.name).toBe('bob');
    expect(server.asked.get('GET /users')).toBeLessThanOrEqual(2);
  });

  it('typing is shown, and ends by itself or with the message', async () => {
    const all = await world();
    const { server, room, ann, bob } = all;
    const { client } = await signedInTab(all);
    const typing = client.conversations.typing(room.id);
    const frame = { type: 'typing', conversation: room.id, user: bob.id, on: true };
    server.tell(ann.id, frame);
    await until(() => typing.get().length === 1);
    await until(() => typing.get().length === 0);
    server.tell(ann.id, frame);
    await until(() => typing.get().length === 1);
    server.say(room, bob, 'done');
    await until(() => client.conversations.get(room.id).get()?.unread === 1);
    expect(typing.get()).toEqual([]);
  });

  it('watched and open ones are named again after a reconnect', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    client.people.watch([all.bob.id]);
    client.conversations.open([all.room.id]);
    await until(() => all.server.frames.some((frame) => frame.type === 'open'));
    all.server.frames.length = 0;
    all.server.cut();
    await until(() => all.server.frames.some((frame) => frame.type === 'open'));
    expect(all.server.frames).toContainEqual({ type: 'watch', users: [all.bob.id] });
    expect(all.server.frames).toContainEqual({ type: 'open', conversations: [all.room.id] });
  });

  it('hear of one typing at most every four seconds', async () => {
    const all = await world();
    const { client } = await signedInTab(all);
    for (let index = 0; index < 20; index += 1) client.conversations.setTyping(all.room.id, true);
    client.conversations.setTyping(all.room.id, false);
    client.messages.send(all.room.id, { text: 'sent' });
    await until(() => all.server.frames.some((frame) => frame.type === 'command'));
    const told = all.server.frames.flatMap((frame) => (frame.type === 'typing' ? [frame.on] : []));
    expect(told).toEqual([true, false]);
  });
});

describe('drafts', () => {
  it('survive a reload, and are gone once emptied', async () => {
    const all = await world();
    const tab = await signedInTab(all);
    const { id } = all.room;
    tab.client.drafts.set(id, { text: 'half a sen', reply: 'm1' });
    await tab.client.stop();
    const again = await signedInTab(all);
    await until(() => again.client.drafts.get(id).get());
    expect(again.client.drafts.get(id).get()).toEqual({ text: 'half a sen', reply: 'm1' });
    expect([...again.client.drafts.all.get()]).toEqual([id]);
    again.client.drafts.set(id, { text: '' });
    await again.client.stop();
    const third = await signedInTab(all);
    const other = all.server.addRoom('group', 'x', [all.ann]).id;
    third.client.drafts.set(other, { text: 'x' });
    await until(() => third.client.drafts.all.get().has(other));
    expect(third.client.drafts.get(id).get()).toBeUndefined();
  });

  it('are the same in all tabs', async () => {
    const all = await world();
    const [first, second] = [await signedInTab(all), await signedInTab(all)];
    first.client.drafts.set(all.room.id, { text: 'shared' });
    await until(() => second.client.drafts.get(all.room.id).get()?.text === 'shared');
  });
});
