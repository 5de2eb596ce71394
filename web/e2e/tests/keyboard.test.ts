import { composer, log, message, messages } from '../support/talk';
import { expect, test } from '../support/test';

test('signing in, finding, writing, reacting, editing: by keyboard alone', async ({ people, stranger }) => {
  const [ada, ben] = await people('ada', 'ben');
  await ada.channel('other');
  const keys = await ada.channel('keys', [ben]);
  await ben.say(keys, 'No mouse here');
  const page = await stranger('/signin');
  const { keyboard } = page;
  await expect(page.getByRole('textbox', { name: 'Name' })).toBeFocused();
  await keyboard.type('ada');
  await keyboard.press('Tab');
  await keyboard.type(ada.password);
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Hello, Ada' }).waitFor();

  await keyboard.press('Control+k');
  await expect(page.getByRole('combobox', { name: 'A conversation or a person' })).toBeFocused();
  await keyboard.type('kys');
  await expect(page.getByRole('option').first()).toContainText('keys');
  await keyboard.press('Enter');
  await expect(composer(page)).toBeFocused();
  await keyboard.type('Nor here');
  await keyboard.press('Enter');
  await expect(message(page, 'Nor here')).toContainText(/Sent|Delivered|Read/u);

  const own = message(page, 'Nor here');
  await expect(async () => {
    await keyboard.press('Shift+Tab');
    await expect(own).toBeFocused({ timeout: 50 });
  }).toPass({ intervals: [10] });
  await keyboard.press('ArrowUp');
  await expect(message(page, 'No mouse here')).toBeFocused();
  await keyboard.press('+');
  await expect(page.getByRole('textbox', { name: 'Find an emoji' })).toBeFocused();
  await keyboard.type('mouse');
  await expect(page.getByRole('dialog', { name: 'Emoji' }).getByRole('button').first()).toBeVisible();
  await keyboard.press('Enter');
  await expect(message(page, 'No mouse here').getByRole('button', { pressed: true })).toBeVisible();
  await expect(message(page, 'No mouse here')).toBeFocused();

  await keyboard.press('ArrowDown');
  await expect(own).toBeFocused();
  await keyboard.press('e');
  await expect(composer(page)).toBeFocused();
  await keyboard.press('End');
  await keyboard.type(', never');
  await keyboard.press('Enter');
  await expect(message(page, 'Nor here, never')).toContainText('(edited');
  await expect(messages(page)).toHaveCount(2);
});

test('menus, dialogs and the sheet of keys give the focus back', async ({ people }) => {
  const [cleo] = await people('cleo');
  const desk = await cleo.channel('desk');
  await cleo.say(desk, 'Tidy');
  const page = await cleo.open(`/c/${desk}`);
  const { keyboard } = page;
  await message(page, 'Tidy').focus();
  await keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'React' })).toBeFocused();
  await keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Reply' })).toBeFocused();
  await keyboard.press('Escape');
  await expect(message(page, 'Tidy')).toBeFocused();
  await keyboard.press('Delete');
  await expect(page.getByRole('dialog', { name: 'Delete this message?' })).toBeVisible();
  await keyboard.press('Escape');
  await expect(message(page, 'Tidy')).toBeFocused();
  await keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toHaveCount(0);
  await keyboard.press('Control+.');
  await expect(page.getByRole('heading', { name: 'Details' })).toBeVisible();
  await keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'Details' })).toHaveCount(0);
  await keyboard.press('r');
  await expect(composer(page)).toBeFocused();
  await keyboard.press('Escape');
  await expect(page.getByText('Answering Cleo')).toHaveCount(0);
});

test('Alt and the arrows lead from conversation to conversation, with Shift to unread ones', async ({
  people,
}) => {
  const [dan, eve] = await people('dan', 'eve');
  const ids: string[] = [];
  for (const name of ['c1', 'c2', 'c3']) ids.push(await eve.channel(name, [dan]));
  await eve.say(ids[0] ?? '', 'Here I am');
  const page = await dan.open(`/c/${ids[1] ?? ''}`);
  await composer(page).waitFor();
  await page.keyboard.press('Alt+Shift+ArrowUp');
  await expect(message(page, 'Here I am')).toBeVisible();
  await page.keyboard.press('Alt+ArrowDown');
  await expect(log(page)).not.toContainText('Here I am');
});
