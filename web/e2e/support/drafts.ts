import { expect, type Page } from '@playwright/test';

/** Waits until the browser has stored this draft: what only the page holds goes with it. */
export async function expectKept(
  page: Page,
  user: string,
  conversation: string,
  text: string,
): Promise<void> {
  await expect.poll(() => page.evaluate(stored, { user, conversation })).toBe(text);
}

/** Runs in the page. */
function stored({ user, conversation }: { user: string; conversation: string }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(`klatch-${user}`);
    // The page makes its own, and an empty one in its place would break it: until then nothing is stored.
    opening.onerror = () => resolve(undefined);
    opening.onupgradeneeded = () => opening.transaction?.abort();
    opening.onsuccess = () => {
      const database = opening.result;
      const reading = database.transaction('drafts').objectStore('drafts').get(conversation);
      reading.onerror = () => reject(new Error('The draft cannot be read'));
      reading.onsuccess = () => {
        database.close();
        resolve((reading.result as { text: string } | undefined)?.text);
      };
    };
  });
}
