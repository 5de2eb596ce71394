// A server, some people and a browser: what most tests begin with. Everything ends with the test.
import { onTestFinished } from 'vitest';
import type { KlatchClient } from '../src/contract/client';
import type { MessageItem, TimelineItem } from '../src/contract/items';
import type { TimelineSnapshot } from '../src/contract/states';
import type { User } from '../src/protocol/objects';
import { Browser, type Tab } from './browser';
import { until } from './clock';
import type { Room } from './server/room';
import { TestServer } from './server/server';

export interface World {
  server: TestServer;
  browser: Browser;
  ann: User;
  bob: User;
  /** Ann's and Bob's. */
  room: Room;
}

export async function world(): Promise<World> {
  const server = new TestServer();
  await server.start();
  const browser = new Browser(server.url);
  onTestFinished(async () => {
    browser.close();
    await server.stop();
  });
  const [ann, bob] = [server.addUser('ann'), server.addUser('bob')];
  return { server, browser, ann, bob, room: server.addRoom('group', 'garden', [ann, bob]) };
}

/** A tab with Ann signed in and everything synced. */
export async function signedInTab({ browser }: World): Promise<Tab> {
  const tab = browser.openTab();
  await until(() => tab.client.session.state.get().state !== 'unknown');
  if (tab.client.session.state.get().state === 'signed-out') {
    await tab.client.session.signIn({ name: 'ann', password: 'right' });
  }
  await synced(tab.client);
  return tab;
}

export function synced(client: KlatchClient): Promise<unknown> {
  return until(
    () => {
      const connection = client.connection.get();
      return connection.state === 'online' && connection.synced;
    },
    () => client.connection.get(),
  );
}

export function texts(items: readonly TimelineItem[]): string[] {
  return messages(items).map(({ body }) => (body && 'text' in body ? body.text : '(none)'));
}

export function messages(items: readonly TimelineItem[]): MessageItem[] {
  return items.filter((item) => item.type === 'message');
}

export function ready(timeline: { get: () => TimelineSnapshot }): Promise<TimelineSnapshot> {
  return until(
    () => timeline.get().phase === 'ready' && timeline.get(),
    () => timeline.get(),
  );
}

/** The messages of a log, as the server holds it. */
export function said(room: Room): string[] {
  return room.log
    .filter((event) => event.kind === 'sent')
    .map((event) => (event.body as { text: string }).text);
}
