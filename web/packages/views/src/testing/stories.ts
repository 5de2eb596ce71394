import type { ReactElement } from 'react';

export interface Story {
  /** `ComposerView/Reply` */
  name: string;
  render: () => ReactElement;
}

const modules = import.meta.glob<Record<string, unknown>>('../**/*.stories.tsx', { eager: true });

/** Every story: an exported function of a `*.stories.tsx` whose name begins with a capital letter. */
export const stories: Story[] = Object.entries(modules).flatMap(([file, exported]) =>
  Object.entries(exported).flatMap(([name, value]) =>
    isStory(name, value) ? [{ name: `${folderOf(file)}/${name}`, render: value }] : [],
  ),
);

function isStory(name: string, value: unknown): value is () => ReactElement {
  return /^[A-Z]/u.test(name) && typeof value === 'function';
}

function folderOf(file: string): string {
  return file.split('/').at(-2) ?? file;
}
