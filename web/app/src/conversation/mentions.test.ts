import { describe, expect, it } from 'vitest';
import { people } from '../fake/people';
import { mentionsIn, outgoing } from './mentions';

const id = (name: string) => people.find((person) => person.name === name)?.id;

describe('mentionsIn', () => {
  it('finds people by what stands after @, whatever ends the sentence', () => {
    expect(mentionsIn('@mira, have you seen @Jonas. and a@aiko?', people)).toEqual([id('mira'), id('jonas')]);
  });

  it('names each once', () => {
    expect(mentionsIn('@mira @mira', people)).toEqual([id('mira')]);
  });
});

describe('outgoing', () => {
  it.each([
    ['/me waves', 'waves', true],
    ['  hello ', 'hello', false],
    ['//me is how one writes it', '/me is how one writes it', false],
    ['/meow', '/meow', false],
  ])('%s', (written, text, emote) => {
    expect(outgoing(written)).toEqual({ text, emote });
  });
});
