import type { Browser, BrowserContext, BrowserContextOptions, Page } from '@playwright/test';

/** Hears everything a page complains about: errors, and what the content security policy kept from happening. */
export class Watch {
  private readonly contexts: BrowserContext[] = [];
  private readonly heard: string[] = [];
  private readonly expected: RegExp[] = [];

  constructor(private readonly defaults: BrowserContextOptions) {}

  /** An empty page of a browser that nobody has used before. */
  async page(browser: Browser, baseURL: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ ...this.defaults, baseURL, ...options });
    this.contexts.push(context);
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
      );
    });
    context.on('weberror', (error) => this.heard.push(String(error.error().stack)));
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        this.heard.push(`${message.text()} (${message.location().url})`);
    });
    return context.newPage();
  }

  /** Complaints that belong to what this test does, as when it takes the server away. */
  expect(...complaints: RegExp[]): void {
    this.expected.push(...complaints);
  }

  /** What nobody expected. */
  get complaints(): string[] {
    return this.heard.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
  }

  async end(): Promise<void> {
    for (const context of this.contexts) await context.close();
  }
}
