/** Programs under measurement: started, watched, stopped by their own ids, gone with this process. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const alive = new Set<Bun.Subprocess>();
const folders = new Set<string>();
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(130));
}

/** A folder below `parent`; it goes with this process. */
export function temporaryFolder(parent: string): string {
  const folder = mkdtempSync(join(parent, "millrace-bench-"));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true });
}

/** Ports of 127.0.0.1 that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    if (address !== null && typeof address === "object") ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Whether somebody accepts connections there. */
export async function listens(port: number): Promise<boolean> {
  const quiet = {
    data() {},
    open(socket: Bun.Socket) {
      socket.end();
    },
  };
  return await Bun.connect({ hostname: "127.0.0.1", port, socket: quiet }).then(
    () => true,
    () => false,
  );
}

export interface ProgramOptions {
  readonly logPath: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export class Program {
  readonly #command: readonly string[];
  readonly #logPath: string;
  readonly #child: Bun.Subprocess;

  constructor(command: readonly string[], { logPath, env }: ProgramOptions) {
    this.#command = command;
    this.#logPath = logPath;
    const log = Bun.file(logPath);
    this.#child = Bun.spawn([...command], {
      stdin: "ignore",
      stdout: log,
      stderr: log,
      env: { ...process.env, ...env },
    });
    alive.add(this.#child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until `probe` answers true. Throws with the program's output when it ends first. */
  async waitUntil(probe: () => Promise<boolean>, everyMs = 25): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (!(await probe().catch(() => false))) {
      if (this.hasEnded || performance.now() > deadline) throw this.failure("was not ready");
      await Bun.sleep(everyMs);
    }
  }

  failure(how: string): Error {
    const log = readFileSync(this.#logPath, "utf8").split("\n").slice(-20).join("\n");
    return new Error(`${this.#command.join(" ")} ${how}\n${log}`);
  }

  /** SIGTERM, and SIGKILL after 20 s. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    this.#child.kill("SIGTERM");
    await this.#child.exited;
    clearTimeout(timer);
    alive.delete(this.#child);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    alive.delete(this.#child);
  }
}

/** Runs a program to its end and returns what it printed. Throws when it exits with an error. */
export async function outputOf(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  alive.add(child);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  alive.delete(child);
  if (code !== 0) {
    throw new Error(
      `${command.join(" ")} exited with ${code}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
    );
  }
  return stdout;
}

/** Resident memory of a process in bytes, now and at most so far (0 where the system does not tell). */
export async function residentBytes(pid: number): Promise<{ now: number; peak: number }> {
  const status = await Bun.file(`/proc/${pid}/status`)
    .text()
    .catch(() => "");
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  if (status !== "") return { now: field("VmRSS"), peak: field("VmHWM") };
  const shown = await outputOf(["ps", "-o", "rss=", "-p", String(pid)]);
  return { now: Number(shown.trim()) * 1024, peak: 0 };
}

/** Linux counts processor time in these. */
const ticksPerSecond = 100;

/** Processor time that a process has used on all its threads, seconds; NaN where it is not told. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Bun.file(`/proc/${pid}/stat`)
    .text()
    .catch(() => "");
  // The name in parentheses may hold spaces; user and system time are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
