import { composer, entry, expectSaid, message, say } from '../support/talk';
import { expect, test } from '../support/test';

test('two people talk, at once', async ({ people }) => {
  const [ada, ben] = await people('ada', 'ben');
  const tea = await ada.channel('tea', [ben]);
  const here = await ada.open(`/c/${tea}`);
  const there = await ben.open(`/c/${tea}`);
  await say(here, 'Is the kettle on?');
  await expect(message(there, 'Is the kettle on?')).toBeVisible();
  await say(there, 'Since five minutes');
  await say(there, 'Bring **biscuits**');
  await expectSaid(here, ['Is the kettle on?', 'Since five minutes', 'Bring biscuits']);
  await expectSaid(there, ['Is the kettle on?', 'Since five minutes', 'Bring biscuits']);
  await expect(composer(there)).toHaveValue('');
  await expect(entry(here, /^tea/u)).toHaveAttribute('aria-current', 'page');
});
