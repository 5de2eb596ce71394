import type { Page } from '@playwright/test';

interface Glimpsing {
  glimpsed?: string[];
}

/**
 * Remembers what shows itself only for a moment: from now on, here and wherever this page goes, every text at `selector`.
 * Who looks later finds it all the same.
 */
export async function glimpses(page: Page, selector: string): Promise<() => Promise<string[]>> {
  await page.addInitScript(watch, selector);
  await page.evaluate(watch, selector);
  return () => page.evaluate(() => (window as Glimpsing).glimpsed ?? []);
}

/** Runs in the page. */
function watch(selector: string): void {
  const glimpsed: string[] = [];
  (window as Glimpsing).glimpsed = glimpsed;
  const look = () => {
    for (const { textContent } of document.querySelectorAll(selector)) {
      const text = textContent.trim();
      if (!glimpsed.includes(text)) glimpsed.push(text);
    }
  };
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
  });
}
