/**
 * A headless Chromium, driven over the DevTools protocol by hand: the few commands that the tests
 * need are less than a package for all of them (ADR 37). https://chromedevtools.github.io/devtools-protocol
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RunningProgram, temporaryFolder } from "./processes.ts";

type Params = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

interface Pending {
  resolve(result: Params): void;
  reject(error: Error): void;
}

const answerMsMax = 40_000;

export class Chromium {
  readonly #program: RunningProgram;
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, (method: string, params: Params) => void>();
  #nextId = 1;

  /** Starts one with a profile of its own. */
  static async start(program: string): Promise<Chromium> {
    const folder = temporaryFolder("chromium");
    const running = new RunningProgram(
      [
        ...[program, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${folder}`],
        // Its sandbox wants a user other than root, which a container rarely has; it sees our pages only.
        ...["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--disable-extensions", "--window-size=900,760", "--hide-scrollbars", "about:blank"],
      ],
      { logPath: join(folder, "chromium.log") },
    );
    const portFile = join(folder, "DevToolsActivePort");
    await running.waitUntil(async () => readFileSync(portFile, "utf8").includes("/devtools/"));
    const [port, path] = readFileSync(portFile, "utf8").split("\n");
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("Chromium takes no commands"));
    });
    return new Chromium(running, socket);
  }

  private constructor(program: RunningProgram, socket: WebSocket) {
    this.#program = program;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)) as Message);
  }

  /** A tab; of one origin tabs share what is stored. */
  async open(url: string): Promise<Tab> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, String(targetId), String(sessionId));
    this.#listeners.set(String(sessionId), (method, params) => tab.take(method, params));
    await tab.begin(url);
    return tab;
  }

  send(method: string, params: Params = {}, sessionId?: string): Promise<Params> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Params>();
    this.#pending.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    const timer = setTimeout(() => reject(new Error(`${method} got no answer`)), answerMsMax);
    return promise.finally(() => clearTimeout(timer));
  }

  async stop(): Promise<void> {
    this.#socket.close();
    await this.#program.stop();
  }

  #take({ id, method, sessionId, params = {}, result = {}, error }: Message): void {
    if (id === undefined) {
      this.#listeners.get(sessionId ?? "")?.(method ?? "", params);
      return;
    }
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(new Error(error.message));
  }
}

export class Tab {
  readonly #browser: Chromium;
  readonly #targetId: string;
  readonly #sessionId: string;
  readonly #log: string[] = [];

  constructor(browser: Chromium, targetId: string, sessionId: string) {
    this.#browser = browser;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
  }

  /** What it printed and what it could not load. */
  get log(): readonly string[] {
    return this.#log;
  }

  async begin(url: string): Promise<void> {
    for (const domain of ["Page", "Runtime", "Network", "Log"])
      await this.#send(`${domain}.enable`);
    await this.go(url);
  }

  async go(url: string): Promise<void> {
    const { errorText } = await this.#send("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`Cannot open ${url}: ${errorText}`);
  }

  async reload(): Promise<void> {
    await this.#send("Page.reload");
  }

  /** The value of an expression in the page, promises awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.#send("Runtime.evaluate", {
      ...{ expression, awaitPromise: true, returnByValue: true, userGesture: true },
    })) as {
      readonly result: { readonly value?: T };
      readonly exceptionDetails?: {
        readonly text: string;
        readonly exception?: { readonly description?: string };
      };
    };
    if (exceptionDetails !== undefined) {
      const { text, exception } = exceptionDetails;
      throw new Error(`${expression}: ${exception?.description ?? text}`);
    }
    return result.value as T;
  }

  /** Waits until `expression` is true in the page; a page that is being loaded is asked again. */
  async until(expression: string, timeoutMs = 40_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const isTrue = await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false);
      if (isTrue) return;
      if (performance.now() > deadline) {
        const text = await this.evaluate<string>("document.body.innerText").catch(String);
        throw new Error(`Never true: ${expression}\n${text}\n${this.#log.join("\n")}`);
      }
      await Bun.sleep(50);
    }
  }

  /** A click as a person makes it, in the middle of what `selector` finds. */
  async click(selector: string): Promise<void> {
    const { x, y } = await this.evaluate<{ x: number; y: number }>(
      `(() => {
        const { x, y, width, height } = document.querySelector(${JSON.stringify(selector)})
          .getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
      })()`,
    );
    const mouse = { x, y, button: "left", clickCount: 1 };
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.#send("Input.dispatchMouseEvent", { ...mouse, type });
    }
  }

  /** Cuts the page off from all networks, or lets it go on. */
  async setOffline(offline: boolean): Promise<void> {
    const throughput = { downloadThroughput: -1, uploadThroughput: -1, latency: 0 };
    await this.#send("Network.emulateNetworkConditions", { offline, ...throughput });
  }

  /** Gives all pages of its origin so much room on disk; without `bytes` as usual. */
  async setRoom(bytes?: number): Promise<void> {
    const origin = await this.evaluate<string>("location.origin");
    const quota = bytes === undefined ? {} : { quotaSize: bytes };
    await this.#send("Storage.overrideQuotaForOrigin", { origin, ...quota });
  }

  async screenshot(file: string): Promise<void> {
    const { data } = await this.#send("Page.captureScreenshot", { format: "png" });
    writeFileSync(file, Uint8Array.fromBase64(String(data)));
  }

  /** As its user closes it. */
  async close(): Promise<void> {
    await this.#browser.send("Target.closeTarget", { targetId: this.#targetId });
  }

  take(method: string, params: Params): void {
    const isLog = /^(Runtime\.(consoleAPICalled|exceptionThrown)|Log\.entryAdded)$/.test(method);
    if (isLog || method === "Network.loadingFailed") {
      this.#log.push(`${method} ${JSON.stringify(params).slice(0, 500)}`);
    }
  }

  #send(method: string, params: Params = {}): Promise<Params> {
    return this.#browser.send(method, params, this.#sessionId);
  }
}
