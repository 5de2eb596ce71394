import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const binary = process.env['KLATCH_BINARY'] ?? resolve(import.meta.dirname, '../../../target/debug/klatch');
const startMs = 30_000;

/** The real server, on a port and with data of its own. */
export class Server {
  /** The token of the link that makes the first owner. */
  claim: string | undefined;
  private process: ChildProcess | undefined;
  private said = '';

  private constructor(
    private readonly data: string,
    private readonly address: string,
    private readonly config: Record<string, string>,
  ) {}

  /** `config` goes over the configuration as the environment does: `KLATCH_LIMITS__QUEUE` and so on. */
  static async start(config: Record<string, string> = {}): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), 'klatch-e2e-'));
    const server = new Server(data, `127.0.0.1:${await freePort()}`, config);
    await server.start();
    server.claim = await server.heard(/\/claim#token=(\S+)/u);
    return server;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  /** Begins, or comes back with the same data on the same port. */
  async start(): Promise<void> {
    this.said = '';
    const child = spawn(binary, ['run', '--data', this.data, '--listen', this.address], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.config },
    });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
        child.emit('said');
      });
    }
    child.once('exit', () => child.emit('said'));
    await this.heard(/Klatch is ready/u);
  }

  /** Power is lost: kill -9. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  /** Waits until the server has printed this, and gives back its first group. */
  private async heard(pattern: RegExp): Promise<string | undefined> {
    const limit = AbortSignal.timeout(startMs);
    for (;;) {
      const found = pattern.exec(this.said);
      if (found) return found[1];
      const child = this.process;
      if (!child || child.exitCode !== null) throw new Error(`The server ended:\n${this.said}`);
      await once(child, 'said', { signal: limit });
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const closed = once(probe, 'close');
  probe.close();
  await closed;
  if (address === null || typeof address === 'string') throw new Error('No port was found');
  return address.port;
}
