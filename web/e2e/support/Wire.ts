import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server as Listener, type Socket } from 'node:net';

/** The cable between a browser and the server, which can be cut. */
export class Wire {
  private readonly ends = new Set<Socket>();
  private listener: Listener | undefined;
  private port = 0;

  private constructor(private readonly to: URL) {}

  static async to(url: string): Promise<Wire> {
    const wire = new Wire(new URL(url));
    await wire.mend();
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async mend(): Promise<void> {
    this.listener = createServer((near) => this.join(near)).listen(this.port, '127.0.0.1');
    await once(this.listener, 'listening');
    this.port = (this.listener.address() as AddressInfo).port;
  }

  async cut(): Promise<void> {
    const listener = this.listener;
    if (!listener) return;
    this.listener = undefined;
    const closed = once(listener, 'close');
    listener.close();
    for (const end of this.ends) end.destroy();
    await closed;
  }

  private join(near: Socket): void {
    const far = connect(Number(this.to.port), this.to.hostname);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.ends.add(end);
      end.pipe(other);
      end.on('error', () => end.destroy());
      end.once('close', () => {
        this.ends.delete(end);
        other.destroy();
      });
    }
  }
}
