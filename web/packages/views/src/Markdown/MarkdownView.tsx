import { Fragment, memo, useMemo, type ReactNode } from 'react';
import { classes } from '../text/classes';
import type { Block, Inline } from './ast';
import { destination, saysWhere } from './links';
import { splitNames, type ChannelLink, type Mention } from './mentions';
import { parseMarkdown } from './parse';
import { plainInline } from './plain';
import styles from './MarkdownView.module.css';

export interface MarkdownProps {
  text: string;
  mentions?: Mention[];
  channels?: ChannelLink[] | undefined;
  onPerson?: ((user: string, anchor: HTMLElement) => void) | undefined;
  /** Stands at the end of the text, in its last line. */
  after?: ReactNode;
}

const nobody: Mention[] = [];
const nowhere: ChannelLink[] = [];
const onlyEmoji =
  /^(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator})(?:\p{Emoji_Modifier}|\u200d|\ufe0f)*\s*){1,6}$/u;

/** What a person wrote, as elements. Never as HTML. */
export const MarkdownView = memo(function MarkdownView({
  text,
  mentions = nobody,
  channels = nowhere,
  onPerson,
  after,
}: MarkdownProps) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  const jumbo = text.length < 60 && onlyEmoji.test(text.trim());
  return (
    <div className={classes(styles.text, jumbo && styles.jumbo)} dir="auto">
      {blocks.map((block, index) => {
        const last = index === blocks.length - 1;
        return (
          <BlockView
            key={index}
            block={block}
            mentions={mentions}
            channels={channels}
            onPerson={onPerson}
            after={last && after}
          />
        );
      })}
    </div>
  );
});

type Around = Pick<MarkdownProps, 'onPerson' | 'after'> & { mentions: Mention[]; channels: ChannelLink[] };

function BlockView({ block, after, ...around }: Around & { block: Block }): ReactNode {
  if (block.type === 'paragraph') {
    return (
      <p>
        {inlines(block.children, around)}
        {after}
      </p>
    );
  }
  return (
    <>
      <OtherBlock block={block} {...around} />
      {after}
    </>
  );
}

function OtherBlock({
  block,
  ...around
}: Around & { block: Exclude<Block, { type: 'paragraph' }> }): ReactNode {
  switch (block.type) {
    case 'code':
      return (
        <pre className={styles.pre} tabIndex={0} dir="ltr">
          <code>{block.text}</code>
        </pre>
      );
    case 'quote':
      return (
        <blockquote className={styles.quote}>
          {block.children.map((child, index) => (
            <BlockView key={index} block={child} {...around} />
          ))}
        </blockquote>
      );
    case 'list':
      return <ListView block={block} {...around} />;
  }
}

function ListView({ block, ...around }: Around & { block: Extract<Block, { type: 'list' }> }) {
  const items = block.items.map((item, index) => (
    <li key={index}>
      {item.map((child, at) => (
        <BlockView key={at} block={child} {...around} />
      ))}
    </li>
  ));
  if (!block.ordered) return <ul className={styles.list}>{items}</ul>;
  return (
    <ol className={styles.list} start={block.start}>
      {items}
    </ol>
  );
}

function inlines(nodes: Inline[], around: Around): ReactNode {
  return nodes.map((node, index) => <Fragment key={index}>{inline(node, around)}</Fragment>);
}

function inline(node: Inline, around: Around): ReactNode {
  switch (node.type) {
    case 'text':
      return textWithNames(node.text, around);
    case 'break':
      return <br />;
    case 'strong':
      return <strong>{inlines(node.children, around)}</strong>;
    case 'emphasis':
      return <em>{inlines(node.children, around)}</em>;
    case 'strike':
      return <s>{inlines(node.children, around)}</s>;
    case 'code':
      return <code className={styles.code}>{node.text}</code>;
    case 'link':
      return <LinkView node={node} {...around} />;
  }
}

function LinkView({ node, ...around }: Around & { node: Extract<Inline, { type: 'link' }> }) {
  const clear = node.bare || saysWhere(plainInline(node.children), node.href);
  return (
    <>
      <a href={node.href} target="_blank" rel="noopener noreferrer" title={node.href}>
        {inlines(node.children, around)}
      </a>
      {!clear && <span className={styles.where}> ({destination(node.href)})</span>}
    </>
  );
}

function textWithNames(text: string, { mentions, channels, onPerson }: Around): ReactNode {
  if (mentions.length === 0 && channels.length === 0) return text;
  return splitNames(text, mentions, channels).map((piece, index) => {
    if (piece.type === 'text') return <Fragment key={index}>{piece.text}</Fragment>;
    if (piece.type === 'channel') {
      return (
        <a key={index} className={styles.mention} href={piece.href}>
          {piece.text}
        </a>
      );
    }
    const look = classes(styles.mention, piece.mention.me && styles.me);
    if (!onPerson) {
      return (
        <span key={index} className={look}>
          {piece.text}
        </span>
      );
    }
    return (
      <button
        key={index}
        type="button"
        className={look}
        onClick={(event) => onPerson(piece.mention.id, event.currentTarget)}
      >
        {piece.text}
      </button>
    );
  });
}
