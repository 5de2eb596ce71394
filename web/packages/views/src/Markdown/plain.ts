import type { Block, Inline } from './ast';
import { parseMarkdown } from './parse';

/** A text without its signs, in one line: for previews and quotes. */
export function plainText(text: string): string {
  return parseMarkdown(text.slice(0, 500)).map(ofBlock).join(' ').replace(/\s+/gu, ' ').trim();
}

function ofBlock(block: Block): string {
  switch (block.type) {
    case 'paragraph':
      return plainInline(block.children);
    case 'code':
      return block.text;
    case 'quote':
      return block.children.map(ofBlock).join(' ');
    case 'list':
      return block.items.flat().map(ofBlock).join(' ');
  }
}

export function plainInline(nodes: Inline[]): string {
  return nodes
    .map((node) => ('text' in node ? node.text : 'children' in node ? plainInline(node.children) : ' '))
    .join('');
}
