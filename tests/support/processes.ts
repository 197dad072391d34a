/** Foreign programs as child processes: run to the end, or kept running until stopped by id. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** After this the program is killed and the run fails; default 60 000. */
  readonly timeoutMs?: number;
  /** Other exit codes than 0 are an answer too, not a failure. */
  readonly anyExit?: boolean;
}

/**
 * Runs a program to its end.
 * @throws when it cannot be started, takes too long, or (unless `anyExit`) exits with another code
 * than 0; the message holds the command line and the end of both outputs.
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { input, timeoutMs = 60_000 } = options;
  const child = Bun.spawn([...command], {
    stdin: input === undefined ? "ignore" : new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  alive.add(child);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  alive.delete(child);
  if (late || (code !== 0 && options.anyExit !== true)) {
    const how = late ? `did not end within ${timeoutMs} ms` : `exited with ${code}`;
    throw new Error(`${shown(command)} ${how}\n${tail(stdout)}\n${tail(stderr)}`);
  }
  return { code, stdout, stderr };
}

/** A program that runs beside the test; both its outputs go to one file. */
export class RunningProgram {
  readonly #command: readonly string[];
  readonly #child: Bun.Subprocess;
  readonly #logPath: string;

  constructor(
    command: readonly string[],
    options: {
      readonly logPath: string;
      readonly env?: Readonly<Record<string, string | undefined>>;
      readonly cwd?: string;
    },
  ) {
    this.#command = command;
    this.#logPath = options.logPath;
    // Opened once and to append: two openings would write over each other.
    const log = openSync(options.logPath, "a");
    this.#child = Bun.spawn([...command], {
      stdin: "ignore",
      stdout: log,
      stderr: log,
      env: { ...process.env, ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    });
    closeSync(log);
    alive.add(this.#child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Everything it printed so far. */
  log(): string {
    return readFileSync(this.#logPath, "utf8");
  }

  /**
   * Waits until `probe` answers true.
   * @throws with its output when the program ends first or 60 s pass.
   */
  async waitUntil(probe: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (!(await probe().catch(() => false))) {
      if (this.#child.exitCode !== null || performance.now() > deadline) {
        const how = this.#child.exitCode === null ? "was not ready in 60 s" : "ended";
        throw new Error(`${shown(this.#command)} ${how}\n${tail(this.log())}`);
      }
      await Bun.sleep(25);
    }
  }

  /** Asks it to end (SIGTERM), kills it after 20 s; resolves to its exit code. */
  async stop(): Promise<number> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    this.#child.kill("SIGTERM");
    const code = await this.#child.exited;
    clearTimeout(timer);
    alive.delete(this.#child);
    return code;
  }

  /** Ends it as a power cut would: SIGKILL. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    alive.delete(this.#child);
  }
}

/** Children that a failing test leaves behind end with this process, by their ids. */
const alive = new Set<Bun.Subprocess>();
const folders = new Set<string>();
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => process.exit(130));
}

/** A folder of its own under the system's temporary one; it goes with this process. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `millrace-${name}-`));
  folders.add(folder);
  return folder;
}

/** Ports on 127.0.0.1 that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(address !== null && typeof address === "object" ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Whether somebody accepts connections on that port of 127.0.0.1. */
export async function listens(port: number): Promise<boolean> {
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: { data() {}, open: (open) => void open.end() },
  });
  socket.end();
  return true;
}

/** Repeats `attempt` every 100 ms until it answers something; fails after `timeoutMs`. */
export async function eventually<T>(
  attempt: () => Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await attempt();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`Nothing came of it in ${timeoutMs} ms`);
    await Bun.sleep(100);
  }
}

function shown(command: readonly string[]): string {
  return command.map((word) => (word.length > 200 ? `${word.slice(0, 200)}…` : word)).join(" ");
}

function tail(text: string): string {
  return text.split("\n").slice(-60).join("\n").slice(-6_000);
}
