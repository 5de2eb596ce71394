import { MarkdownView } from './MarkdownView';

const all = `Plain, **bold**, *italic*, ~~struck~~ and \`code\`.
A second line with https://example.org/a_b and [a name](https://example.org/elsewhere).

> quoted
> twice

- one
- two
  - deeper

3. three
4. four

\`\`\`rust
fn main() {}
\`\`\``;

export const Everything = () => <MarkdownView text={all} />;

export const Mentions = () => (
  <MarkdownView
    text="@mira and @jonas, not @nobody"
    mentions={[
      { id: '1', name: 'mira', me: true },
      { id: '2', name: 'jonas', me: false },
    ]}
  />
);

export const OnlyEmoji = () => <MarkdownView text="🎉 👍" />;
