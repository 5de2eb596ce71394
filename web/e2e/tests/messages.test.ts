import { glimpses } from '../support/glimpses';
import { act, composer, log, message, messages, panel, say } from '../support/talk';
import { expect, test } from '../support/test';

const marked = '[role=log] [data-flashed]';

test('an answer shows what it answers, and leads there', async ({ people }) => {
  const [ada, ben] = await people('ada', 'ben');
  const tea = await ada.channel('tea', [ben]);
  await ada.say(tea, 'Green or black?');
  const here = await ada.open(`/c/${tea}`);
  const there = await ben.open(`/c/${tea}`);
  await act(there, 'Green or black?', 'Reply');
  await expect(composer(there)).toBeFocused();
  await expect(there.getByText('Answering Ada')).toBeVisible();
  await say(there, 'Black, please');
  const answer = message(here, 'Black, please');
  const marks = await glimpses(here, marked);
  await answer.getByRole('button', { name: 'In answer to Ada: Green or black?' }).click();
  await expect.poll(marks).toContainEqual(expect.stringContaining('Green or black?'));
});

test('an edit is seen by all, says so, and Escape leaves it', async ({ people }) => {
  const [cleo, dan] = await people('cleo', 'dan');
  const cake = await cleo.channel('cake', [dan]);
  await cleo.say(cake, 'Ctae tomorrow');
  const here = await cleo.open(`/c/${cake}`);
  const there = await dan.open(`/c/${cake}`);
  await message(here, 'Ctae tomorrow').waitFor();
  await composer(here).press('ArrowUp');
  await expect(composer(here)).toHaveValue('Ctae tomorrow');
  await composer(here).press('Escape');
  await expect(composer(here)).toHaveValue('');
  await act(here, 'Ctae tomorrow', 'Edit');
  await composer(here).fill('Cake tomorrow');
  await composer(here).press('Enter');
  await expect(message(there, 'Cake tomorrow')).toContainText('(edited');
  await expect(message(here, 'Cake tomorrow')).toContainText('(edited');
  await expect(messages(there)).toHaveCount(1);
});

test('a deleted message leaves a calm trace', async ({ people }) => {
  const [eve, fred] = await people('eve', 'fred');
  const attic = await eve.channel('attic', [fred]);
  await eve.say(attic, 'Something silly');
  const here = await eve.open(`/c/${attic}`);
  const there = await fred.open(`/c/${attic}`);
  await message(there, 'Something silly').waitFor();
  await act(here, 'Something silly', 'Delete');
  const sure = here.getByRole('dialog', { name: 'Delete this message?' });
  await expect(sure.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await sure.getByRole('button', { name: 'Delete' }).click();
  await expect(message(there, 'Message deleted')).toBeVisible();
  await expect(message(here, 'Message deleted')).toBeVisible();
  await expect(message(there, 'Something silly')).toHaveCount(0);
});

test('reactions are counted, taken back, and found by name', async ({ people }) => {
  const [gina, hal] = await people('gina', 'hal');
  const garden = await gina.channel('garden', [hal]);
  await gina.say(garden, 'The roses are out');
  const here = await gina.open(`/c/${garden}`);
  const there = await hal.open(`/c/${garden}`);
  await act(there, 'The roses are out', 'React');
  const picker = there.getByRole('dialog', { name: 'Emoji' });
  await picker.getByRole('textbox', { name: 'Find an emoji' }).fill('rose');
  await picker.getByRole('button', { name: 'rose', exact: true }).click();
  const rose = (page: typeof here) => message(page, 'The roses').getByRole('button', { name: /^🌹/u });
  await expect(rose(here)).toHaveAccessibleName(/^🌹 ?1 by Hal$/u);
  await rose(here).click();
  await expect(rose(there)).toHaveAccessibleName(/^🌹 ?2 by /u);
  await expect(rose(here)).toHaveAttribute('aria-pressed', 'true');
  await rose(here).click();
  await expect(rose(there)).toHaveAccessibleName(/^🌹 ?1 by (?:Hal|you)$/u);
});

test('what is pinned stands in a list that leads back', async ({ people }) => {
  const [ines, jo] = await people('ines', 'jo');
  const club = await ines.channel('club', [jo]);
  await ines.say(club, 'We meet on Thursdays');
  const here = await ines.open(`/c/${club}`);
  const there = await jo.open(`/c/${club}`);
  await act(here, 'We meet on Thursdays', 'Pin');
  await expect(message(there, 'We meet on Thursdays')).toContainText('Pinned');
  await there.getByRole('button', { name: 'Pinned messages' }).click();
  await expect(panel(there).getByRole('listitem')).toContainText('We meet on Thursdays');
  const marks = await glimpses(there, marked);
  await panel(there).getByRole('button', { name: 'Show in the conversation' }).click();
  await expect.poll(marks).toContainEqual(expect.stringContaining('We meet on Thursdays'));
  await act(here, 'We meet on Thursdays', 'Unpin');
  await expect(message(there, 'We meet on Thursdays')).not.toContainText('Pinned');
});

test('a mention is completed while writing, and reaches whom it names', async ({ people }) => {
  const [kim, lou] = await people('kim', 'lou');
  const desk = await kim.channel('desk', [lou]);
  const here = await kim.open(`/c/${desk}`);
  const there = await lou.open();
  await composer(here).pressSequentially('Ask @lo');
  const suggestions = here.getByRole('listbox', { name: 'Suggestions' });
  await expect(suggestions.getByRole('option', { name: /Lou/u })).toBeVisible();
  await composer(here).press('Enter');
  await expect(composer(here)).toHaveValue('Ask @lou ');
  await composer(here).pressSequentially('about :cof');
  await expect(suggestions.getByRole('option').first()).toBeVisible();
  await composer(here).press('Escape');
  await expect(suggestions).toHaveCount(0);
  await composer(here).press('Enter');
  const entry = there.getByRole('link', { name: /^desk.*1 mention/u });
  await expect(entry).toBeVisible();
  await expect(there).toHaveTitle(/^\(1\)/u);
  await entry.click();
  await message(there, 'Ask').getByRole('button', { name: '@lou' }).click();
  await expect(panel(there).getByRole('heading', { name: 'Lou' })).toBeVisible();
});

test('a link leads to a message far up, and marks it', async ({ people }) => {
  const [mia] = await people('mia');
  const long = await mia.channel('long');
  const ids: string[] = [];
  for (let at = 1; at <= 150; at += 1) ids.push(await mia.say(long, `Line ${at}`));
  const page = await mia.open();
  await page.getByRole('heading', { name: 'Hello, Mia' }).waitFor();
  const marks = await glimpses(page, marked);
  await page.goto(`/c/${long}/m/${ids[9] ?? ''}`);
  const tenth = messages(page).filter({ hasText: /Line 10$/u });
  await expect(tenth).toBeInViewport();
  await expect.poll(marks).toContainEqual(expect.stringContaining('Line 10'));
  await page.getByRole('button', { name: /^Jump to latest/u }).click();
  await expect(message(page, 'Line 150')).toBeInViewport();
  await expect(page.getByRole('button', { name: /^Jump to latest/u })).toHaveCount(0);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await act(page, 'Line 150', 'Copy link');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(copied).pathname).toBe(`/c/${long}/m/${ids[149] ?? ''}`);
});

test('history is read upwards without a hole and without a jump', async ({ people }) => {
  const [ned] = await people('ned');
  const deep = await ned.channel('deep');
  for (let at = 1; at <= 180; at += 1) await ned.say(deep, `Fathom ${at}`);
  const page = await ned.open(`/c/${deep}`);
  await expect(message(page, 'Fathom 180')).toBeInViewport();
  const first = messages(page).filter({ hasText: /Fathom 1$/u });
  await log(page).hover();
  const met = new Set<string>();
  const meet = async () => {
    for (const text of await messages(page).allInnerTexts()) {
      const found = /Fathom (\d+)/u.exec(text)?.[1];
      if (found) met.add(found);
    }
  };
  await expect(async () => {
    // Who scrolls on over what is not loaded yet passes it unread.
    await expect(log(page).locator('[data-key^=gap]')).not.toBeInViewport();
    await meet();
    await page.mouse.wheel(0, -500);
    await expect(first).toBeInViewport({ timeout: 50 });
  }).toPass({ intervals: [30] });
  await meet();
  expect(met.size).toBe(180);
  await say(page, 'Up again');
  await expect(message(page, 'Up again')).toBeInViewport();
});
