/** What has to end when its owner ends: collecting it is a habit, so that nothing is forgotten. */
export class Disposables {
  private readonly ends: (() => void)[] = [];

  track(end: () => void): void {
    this.ends.push(end);
  }

  dispose(): void {
    for (const end of this.ends.splice(0).reverse()) end();
  }
}
