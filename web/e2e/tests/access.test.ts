import type { Page } from '@playwright/test';
import { expectAccessible } from '../support/axe';
import { entry, message, panel } from '../support/talk';
import { expect, test, type Person } from '../support/test';

/** A conversation with something of everything in it. */
async function furnish(ada: Person, ben: Person): Promise<string> {
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
function pages(tea: string, ben: Person): [string, (page: Page) => ReturnType<Page['getByText']>][] {
  const settings = {
    profile: 'Shown as',
    appearance: 'Density',
    notifications: 'Do not disturb',
    sessions: 'Sign out of this device',
    password: 'Current password',
    blocked: 'You have blocked nobody.',
    account: 'Close my account for good',
    site: 'Who can sign up',
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

const outside: [string, string][] = [
  ['/signin', 'Sign in'],
  ['/signup', 'Sign in'],
  ['/signup#invite=ki_nothing', 'Create account'],
  ['/claim#token=kc_nothing', 'Create account'],
  ['/reset#token=kr_nothing', 'Choose a new password'],
];

for (const colorScheme of ['light', 'dark'] as const) {
  // The two differ in colours and nothing else.
  const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;

  test(`axe finds nothing on any page, ${colorScheme}`, async ({ owner, people, stranger }) => {
    test.slow();
    const [ben] = await people(`ben-${colorScheme}`);
    const tea = await furnish(owner, ben);
    const page = await owner.open('/', { colorScheme });
    for (const [path, shown] of pages(tea, ben)) {
      await page.goto(path);
      await shown(page).waitFor();
      await expectAccessible(page, path, rules);
    }
    const guest = await stranger('/', { colorScheme });
    for (const [path, button] of outside) {
      await guest.goto(path);
      await guest
        .getByRole('button', { name: button })
        .or(guest.getByRole('link', { name: button }))
        .first()
        .waitFor();
      await expectAccessible(guest, path, rules);
    }
  });

  test(`axe finds nothing in dialogs and menus, ${colorScheme}`, async ({ owner, people }) => {
    test.slow();
    const [cleo] = await people(`cleo-${colorScheme}`);
    const page = await owner.open(`/c/${await furnish(owner, cleo)}`, { colorScheme });
    const look = async (what: string) => {
      await expectAccessible(page, what, rules, '[role=dialog], [role=menu], dialog');
      await page.keyboard.press('Escape');
    };
    await message(page, 'The green one').waitFor();
    for (const [way, title] of [
      ['Write to a person', 'Write to a person'],
      ['New group', 'New group'],
      ['New channel', 'New channel'],
      ['Browse channels', 'Browse channels'],
    ] as const) {
      await page.getByRole('button', { name: 'New conversation' }).click();
      await page.getByRole('menuitem', { name: way }).click();
      await page.getByRole('dialog', { name: title }).waitFor();
      await look(title);
    }
    await page.keyboard.press('Control+k');
    await page.getByRole('option').first().waitFor();
    await look('quick switcher');
    await message(page, 'The green one').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    await look('menu of a message');
    await page.keyboard.press('+');
    // All of them are two thousand times the same.
    await page.getByRole('textbox', { name: 'Find an emoji' }).fill('cat');
    await page.getByRole('button', { name: 'cat face' }).waitFor();
    await look('emoji');
    await page.keyboard.press('Delete');
    await page.getByRole('dialog', { name: 'Delete this message?' }).waitFor();
    await look('a question');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await look('keys');
    await page.getByRole('button', { name: /Your menu/u }).click();
    await page.getByRole('menu').waitFor();
    await look('own menu');
  });
}

test('a screen reader is told of the pages as intended', async ({ owner, people, stranger }) => {
  const [dan] = await people('dan');
  const garden = await owner.channel('garden', [dan], { topic: 'What grows' });
  const first = await dan.say(garden, 'The beans are up');
  await owner.say(garden, 'At last!', { replies: [first] });
  await owner.command(garden, { kind: 'react', target: first, emoji: '🌱' });
  const guest = await stranger('/signin');
  await guest.getByRole('button', { name: 'Sign in' }).waitFor();
  await expect(guest.locator('body')).toMatchAriaSnapshot({ name: 'sign-in.aria.yml' });
  const page = await dan.open(`/c/${garden}?side=members`);
  await panel(page).getByText('@dan').waitFor();
  await expect(entry(page, /^garden$/u)).toBeVisible();
  await expect(page.getByRole('navigation')).toMatchAriaSnapshot({ name: 'sidebar.aria.yml' });
  await expect(page.getByRole('main')).toMatchAriaSnapshot({ name: 'conversation.aria.yml' });
  await expect(panel(page)).toMatchAriaSnapshot({ name: 'members.aria.yml' });
  await page.goto('/settings/appearance');
  await page.getByRole('heading', { name: 'Appearance' }).waitFor();
  await expect(page.locator('body')).toMatchAriaSnapshot({ name: 'appearance.aria.yml' });
});
