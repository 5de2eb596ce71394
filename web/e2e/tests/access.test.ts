import { expectAccessible } from '../support/axe';
import { furnish, outside, pages } from '../support/pages';
import { message } from '../support/talk';
import { test } from '../support/test';

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
