// Every page there is, and what is on it: for tests that go through all of them.
import type { Page } from '@playwright/test';
import type { Person } from './Person';
import { message, panel } from './talk';

/** A conversation with something of everything in it. */
export async function furnish(ada: Person, ben: Person): Promise<string> {
  const tea = await ada.channel('tea', [ben], { topic: 'Leaves, water, patience' });
  const first = await ben.say(tea, 'Which one is it today? See **the list** on https://example.org/teas');
  await ada.say(tea, 'The green one, @ben\n\n> three minutes\n\n- cups\n- spoons', {
    mentions: [ben.id],
    replies: [first],
  });
  const gone = await ben.say(tea, 'Nothing');
  await ben.command(tea, { kind: 'delete', target: gone });
  await ada.command(tea, { kind: 'react', target: first, emoji: '🍵' });
  await ada.command(tea, { kind: 'pin', target: first });
  await ben.command(tea, {
    kind: 'send',
    body: { type: 'text', text: 'pours `water` at 80 °C', emote: true },
  });
  return tea;
}

/** Every page, and what is on it once it is there. */
export function pages(tea: string, ben: Person): [string, (page: Page) => ReturnType<Page['getByText']>][] {
  const settings = {
    profile: 'Shown as',
    appearance: 'Density',
    notifications: 'Do not disturb',
    sessions: 'Sign out of this device',
    password: 'Current password',
    blocked: 'You have blocked nobody.',
    account: 'Close my account for good',
    site: 'Who can sign up',
    people: '@olga',
    invites: 'Make an invitation link',
  };
  return [
    ['/', (page) => page.getByText('Pick a conversation')],
    ['/nowhere', (page) => page.getByText('There is nothing here')],
    [`/c/${tea}`, (page) => message(page, 'pours water')],
    [`/c/${tea}?side=details`, (page) => panel(page).getByText('Favourite', { exact: true })],
    [`/c/${tea}?side=members`, (page) => panel(page).getByText('@ben')],
    [`/c/${tea}?side=pins`, (page) => panel(page).getByText('Which one')],
    [`/c/${tea}?side=person.${ben.id}`, (page) => panel(page).getByRole('heading', { name: 'Ben' })],
    ...Object.entries(settings).map(([path, text]): ReturnType<typeof pages>[number] => [
      `/settings/${path}`,
      (page) => page.getByRole('main').getByText(text).first(),
    ]),
  ];
}

export const outside: [string, string][] = [
  ['/signin', 'Sign in'],
  ['/signup', 'Sign in'],
  ['/signup#invite=ki_nothing', 'Create account'],
  ['/claim#token=kc_nothing', 'Create account'],
  ['/reset#token=kr_nothing', 'Choose a new password'],
];
