import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../../..');
const script = join(root, 'deploy/local/cluster.sh');
const binary = process.env['KLATCH_BINARY'] ?? join(root, 'target/debug/klatch');
const startMs = 30_000;
/** HAProxy gives them to the nodes in turn. */
const answersInRow = 6;
/** The engines of a cluster, as `make cluster` takes them; without it, one node with everything embedded. */
const stack = process.env['KLATCH_STACK'];

/** What all tests of a file talk to. */
export interface Server {
  readonly url: string;
  /** The token of the link that makes the first owner. */
  readonly claim: string | undefined;
  /** Begins, or comes back with the same data at the same address. */
  start(): Promise<void>;
  /** Power is lost: kill -9 of whatever people reach. */
  kill(): Promise<void>;
  /** Ends, and leaves nothing behind. */
  remove(): Promise<void>;
}

/** Starts a new site. `config` goes over the configuration as the environment does: `KLATCH_LIMITS__QUEUE` and so on. */
export async function startServer(config: Record<string, string> = {}): Promise<Server> {
  return stack ? Cluster.begin(stack, config) : Node.begin(config);
}

/** The real server, on a port and with data of its own. */
class Node implements Server {
  claim: string | undefined;
  private process: ChildProcess | undefined;
  private said = '';

  private constructor(
    private readonly data: string,
    private readonly address: string,
    private readonly config: Record<string, string>,
  ) {}

  static async begin(config: Record<string, string>): Promise<Node> {
    const data = await mkdtemp(join(tmpdir(), 'klatch-e2e-'));
    const server = new Node(data, `127.0.0.1:${await freePort()}`, config);
    await server.start();
    server.claim = await server.heard(/\/claim#token=(\S+)/u);
    return server;
  }

  get url(): string {
    return `http://${this.address}`;
  }

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

/** Six processes of Klatch behind HAProxy, on real servers: what `make cluster` starts. */
class Cluster implements Server {
  claim: string | undefined;

  private constructor(
    private readonly folder: string,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly stack: string,
    readonly url: string,
  ) {}

  static async begin(stack: string, config: Record<string, string>): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'klatch-e2e-'));
    // PostgreSQL and RabbitMQ run as nobody, who must get to their folders.
    await chmod(folder, 0o755);
    const listen = `127.0.0.1:${await freePort()}`;
    // Beside a cluster that somebody has at hand, and those of the Rust tests.
    const net = `127.0.${201 + (process.pid % 50)}`;
    const environment = {
      ...process.env,
      ...config,
      KLATCH: binary,
      CLUSTER: folder,
      LISTEN: listen,
      NET: net,
    };
    const cluster = new Cluster(folder, environment, stack, `http://${listen}`);
    await cluster.start();
    return cluster;
  }

  async start(): Promise<void> {
    const said = await this.script('start', this.stack);
    this.claim ??= /\/claim#token=(\S+)/u.exec(said)?.[1];
    await this.answers();
  }

  async kill(): Promise<void> {
    for (const name of ['front1', 'front2']) {
      const pid = Number(await readFile(join(this.folder, 'klatch', name, 'pid'), 'utf8'));
      process.kill(pid, 'SIGKILL');
    }
  }

  async remove(): Promise<void> {
    await this.script('stop');
    await rm(this.folder, { recursive: true, force: true });
  }

  /** HAProxy listens before it has found any node up, and until then answers 503 itself. */
  private async answers(): Promise<void> {
    const givenUp = performance.now() + startMs;
    for (let inRow = 0; inRow < answersInRow;) {
      const answer = await fetch(`${this.url}/api/v1/site`, { headers: { connection: 'close' } });
      const text = await answer.text();
      inRow = answer.status === 200 ? inRow + 1 : 0;
      if (inRow > 0) continue;
      if (performance.now() > givenUp) throw new Error(`The cluster answers ${answer.status}: ${text}`);
      await pause(100);
    }
  }

  private async script(...words: string[]): Promise<string> {
    const done = await promisify(execFile)(script, words, { env: this.environment });
    return done.stdout;
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
