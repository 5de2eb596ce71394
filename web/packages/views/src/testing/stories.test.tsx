import { act, render } from '@testing-library/react';
import axe from 'axe-core';
import { describe, expect, it } from 'vitest';
import { stories } from './stories';

// Rules of whole pages; and what jsdom cannot see, the colours, which the gallery's run in a browser looks at.
const rules = { region: { enabled: false }, 'color-contrast': { enabled: false } };
const topLayer = /^(?:Menu|EmojiPicker)\//u;

describe('every story', () => {
  it.each(stories.map((story) => [story.name, story] as const))(
    '%s renders, and axe finds nothing',
    async (name, story) => {
      const { baseElement } = render(story.render());
      await act(() => Promise.resolve());
      const { violations } = await axe.run(topLayer.test(name) ? document.body : baseElement, { rules });
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
        [],
      );
    },
  );

  it('exists for every view', () => {
    const views = Object.keys(import.meta.glob('../*View/*View.tsx')).map((file) => file.split('/')[1]);
    const told = new Set(stories.map(({ name }) => name.split('/')[0]));
    expect(views.filter((view) => !told.has(view))).toEqual([]);
  });
});
