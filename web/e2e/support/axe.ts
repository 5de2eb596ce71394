import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** Nothing that axe finds fault with, but told so that one sees what and where. */
export async function expectAccessible(
  page: Page,
  what: string,
  rules?: string[],
  within = ':root',
): Promise<void> {
  const axe = new AxeBuilder({ page }).include(within);
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  const told = violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) }));
  expect.soft(told, what).toEqual([]);
}
