/**
 * The client in a browser: the example pages, and what no other runtime has (a queue on disk, tabs,
 * pages that go), against a server and against the Worker. A screenshot of what a failing check saw
 * stays in the system's temporary folder, and the failure names it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chromium, type Tab } from "../support/chromium.ts";
import { freePorts, RunningProgram, temporaryFolder } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { chromiumProgram } from "./support/programs.ts";

const root = join(import.meta.dir, "../..");

/** Where the pages come from: another origin than the server's, as a shop's is. */
function servePages(port: number): Bun.Server<undefined> {
  return Bun.serve({
    ...{ port, hostname: "127.0.0.1" },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/blank.html") return html("<!doctype html><title>blank</title>");
      if (pathname === "/modules/apache-arrow.js") return script(await arrowModule());
      const file = Bun.file(join(root, "deploy/examples", pathname));
      return (await file.exists()) ? new Response(file) : new Response(null, { status: 404 });
    },
  });
}

let pages = servePages(0);
const pagesPort = pages.port ?? 0;
const origin = `http://localhost:${pagesPort}`;

interface Place {
  readonly url: string;
  /** What requests of the test itself show. */
  readonly headers: Readonly<Record<string, string>>;
  /** What pages show. */
  readonly token: string | undefined;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<unknown>;
}

async function startServer(): Promise<Place> {
  const server = await StreamServer.start({ flags: ["--origins", origin] });
  return {
    ...{ url: server.httpUrl, headers: {}, token: undefined },
    kill: () => server.kill(),
    start: () => server.restart(),
    stop: () => server.stop(),
  };
}

async function startDevWorker(): Promise<Place> {
  const folder = temporaryFolder("dev-worker");
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const launch = async () => {
    const program = new RunningProgram([process.execPath, "deploy/cloudflare/dev.ts"], {
      logPath: join(folder, "worker.log"),
      env: { PORT: String(port), MILLRACE_DATA: join(folder, "data"), MILLRACE_ORIGINS: origin },
      cwd: root,
    });
    await program.waitUntil(async () => (await fetch(`${url}/healthz`)).ok);
    return program;
  };
  let program = await launch();
  const stop = () => program.stop();
  return {
    ...{ url, headers: { Authorization: "Bearer local" }, token: "local", stop },
    kill: async () => void (await stop()),
    start: async () => {
      program = await launch();
    },
  };
}

let browser: Chromium;
beforeAll(async () => {
  browser = await Chromium.start(await chromiumProgram());
}, 120_000);
afterAll(async () => {
  await browser?.stop();
  await pages.stop(true);
});

browserChecks("a server on Bun", startServer);
browserChecks("the Worker in workerd", startDevWorker);

function browserChecks(name: string, start: () => Promise<Place>): void {
  describe(`the client in Chromium with ${name}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await start();
    }, 60_000);
    afterAll(() => place?.stop());

    const tabs: Tab[] = [];
    async function open(path: string, from = origin): Promise<Tab> {
      const tab = await browser.open(from + path);
      tabs.push(tab);
      return tab;
    }

    /** A page with the client as `m`, and a connection as `link`. */
    async function blank(token?: string, from?: string): Promise<Tab> {
      const tab = await open("/blank.html", from);
      await load(tab, token);
      return tab;
    }

    async function load(tab: Tab, token = place.token): Promise<void> {
      await tab.until('document.title === "blank"');
      const options = JSON.stringify({ token });
      await tab.evaluate(`import(${JSON.stringify(`${place.url}/client.js`)}).then((client) => {
        window.m = client;
        window.link = m.connect(${JSON.stringify(place.url)}, ${options});
      })`);
    }

    /** Loads a page anew; resolves when the old one is gone. */
    async function again(tab: Tab): Promise<void> {
      await tab.evaluate("window.isOld = true");
      await tab.reload();
      await tab.until('window.isOld === undefined && document.readyState === "complete"');
    }

    function check(what: string, act: () => Promise<void>): void {
      test(what, async () => {
        try {
          await act();
        } catch (error) {
          const file = join(tmpdir(), `millrace-browser-${Date.now()}.png`);
          const kept = await tabs
            .at(-1)
            ?.screenshot(file)
            .then(() => file, String);
          throw new Error(`${error}\nscreenshot: ${kept}\n${tabs.at(-1)?.log.join("\n")}`, {
            cause: error,
          });
        } finally {
          for (const tab of tabs.splice(0)) await tab.close().catch(() => undefined);
        }
      }, 120_000);
    }

    const ask = (path: string) => fetch(place.url + path, { headers: place.headers });

    async function make(path: string, body: object): Promise<Record<string, unknown>> {
      const answer = await fetch(place.url + path, {
        method: "POST",
        headers: { ...place.headers, "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(201);
      return (await answer.json()) as Record<string, unknown>;
    }

    /** Makes it, and an access token of our pages for it. */
    async function makeTopic(name: string, from = origin): Promise<string> {
      await make("/v1/topics", { name, partitions: 1 });
      const operations = ["read", "write"];
      const { token } = await make("/v1/tokens", { topics: [name], operations, origins: [from] });
      return String(token);
    }

    async function valuesOf(topic: string): Promise<unknown[]> {
      const values: unknown[] = [];
      for (let next = 0, high = 1; next < high; ) {
        const path = `/v1/topics/${topic}/partitions/0/records?values=json&offset=${next}`;
        const answer = (await (await ask(path)).json()) as {
          readonly records: readonly { readonly value?: unknown; readonly valueText?: string }[];
          readonly nextOffset: number;
          readonly highOffset: number;
        };
        values.push(...answer.records.map(({ value, valueText }) => value ?? valueText));
        ({ nextOffset: next, highOffset: high } = answer);
      }
      return values;
    }

    async function untilValues(topic: string, count: number): Promise<unknown[]> {
      const deadline = performance.now() + 20_000;
      for (;;) {
        const values = await valuesOf(topic);
        if (values.length >= count) return values;
        if (performance.now() > deadline) throw new Error(`${topic} has ${values.length} records`);
        await Bun.sleep(50);
      }
    }

    check("the page of clicks counts live, without a network and with it again", async () => {
      const token = place.token === undefined ? "" : `&token=${place.token}`;
      const page = await open(`/clicks.html#server=${place.url}${token}`);
      const status = (text: string) =>
        page.until(`document.querySelector("#status").textContent === "${text}"`);
      const shown = (count: number) =>
        page.until(`[...document.querySelectorAll("i")].reduce(
          (sum, bar) => sum + Number(bar.dataset.clicks), 0) === ${count}`);
      await status("live");
      for (const button of [".oak", ".oak", ".elm"]) await page.click(button);
      await shown(3);
      await page.setOffline(true);
      for (const button of [".ash", ".ash", ".ash"]) await page.click(button);
      await status("offline, 3 waiting");
      expect(await valuesOf("clicks")).toHaveLength(3);
      await page.setOffline(false);
      await shown(6);
      await status("live");
      // Nobody answers at all: the page opens, takes clicks, and sends them when they are back.
      await page.until("navigator.serviceWorker.controller !== null");
      await again(page);
      await status("live");
      await Promise.all([pages.stop(true), place.kill()]);
      await again(page);
      await status("offline");
      await page.click(".oak");
      await status("offline, 1 waiting");
      pages = servePages(pagesPort);
      await place.start();
      await status("live");
      await shown(7);
      const other = await open(`/clicks.html#server=${place.url}${token}`);
      await other.until(`document.querySelector("#status").textContent === "live"`);
      await other.click(".elm");
      await shown(8);
    });

    check("what waits on disk outlives its page, and is appended once", async () => {
      const send = `window.p = m.producer(link, "kept", { queue: m.indexedDbQueue("kept") });`;
      const token = await makeTopic("kept");
      const first = await blank(token);
      await first.evaluate(`(async () => { ${send} await p.send({ n: 0 }); })()`);
      // The server goes; the page, which has it all in its queue, is closed.
      await place.kill();
      await first.evaluate(`(async () => {
        for (let n = 1; n < 40; n++) p.send({ n }).catch(() => {});
        await p.saved();
      })()`);
      await first.close();
      await place.start();
      const second = await blank(token);
      await second.evaluate(`(async () => { ${send} await p.send({ n: 40 }); })()`);
      const values = await untilValues("kept", 41);
      expect(values).toEqual(Array.from({ length: 41 }, (_, n) => ({ n })));
      // And a tab beside it has a lane of its own.
      const third = await blank(token);
      await third.evaluate(`(async () => { ${send} await p.send({ n: 41 }); })()`);
      await second.evaluate("p.send({ n: 42 })");
      expect(await untilValues("kept", 43)).toHaveLength(43);
    });

    check("answers that are lost double nothing, also over a reload", async () => {
      const token = await makeTopic("lossy");
      const tab = await blank(token);
      await tab.evaluate(`(async () => {
        const lossy = m.connect(link.url, {
          token: ${JSON.stringify(token)},
          fetch: async (...asked) => { await fetch(...asked); throw new TypeError("lost"); },
        });
        window.p = m.producer(lossy, "lossy", { queue: m.indexedDbQueue("lossy"), lingerMs: 0 });
        p.send("a").catch(() => {});
        await p.saved();
        p.send("b").catch(() => {});
        await p.saved();
      })()`);
      await untilValues("lossy", 1);
      await again(tab);
      await load(tab, token);
      await tab.evaluate(
        `m.producer(link, "lossy", { queue: m.indexedDbQueue("lossy") }).send("c")`,
      );
      expect(await valuesOf("lossy")).toEqual(["a", "b", "c"]);
    });

    check("what a tab leaves that is closed is sent by one that stays", async () => {
      const token = await makeTopic("closing");
      const queue = `window.p = m.producer(link, "closing", { queue: m.indexedDbQueue("closing") });`;
      const goes = await blank(token);
      await goes.setOffline(true);
      await goes.evaluate(`(async () => { ${queue} p.send("left"); await p.saved(); })()`);
      const stays = await blank(token);
      await stays.evaluate(`(async () => { ${queue} await p.send("own"); })()`);
      expect(await valuesOf("closing")).toEqual(["own"]);
      await goes.close();
      expect(await untilValues("closing", 2)).toEqual(["own", "left"]);
      await stays.evaluate(`p.send("last").then(() => p.flush())`);
      expect(await valuesOf("closing")).toEqual(["own", "left", "last"]);
    });

    check("what was made without a network is appended as fast as the token may", async () => {
      await make("/v1/topics", { name: "rated", partitions: 1 });
      const rate = { operations: ["write"], origins: [origin], recordsPerSecondMax: 20 };
      const { token } = await make("/v1/tokens", { topics: ["rated"], ...rate });
      const tab = await blank(String(token));
      await tab.setOffline(true);
      // More than the 200 that may come at once, and one that never may.
      await tab.evaluate(`(async () => {
        window.p = m.producer(link, "rated", { queue: m.indexedDbQueue("rated") });
        window.fates = [];
        for (let n = 0; n < 250; n++) {
          const value = n === 100 ? "x".repeat(1_100_000) : n;
          p.send(value).then(() => fates.push("sent"), ({ code }) => fates.push(code));
        }
        await p.saved();
      })()`);
      await tab.setOffline(false);
      await tab.until("fates.length === 250");
      expect(await tab.evaluate("fates.filter((fate) => fate !== 'sent')")).toEqual([
        "record_too_large",
      ]);
      const numbers = Array.from({ length: 250 }, (_, n) => n).filter((n) => n !== 100);
      expect((await valuesOf("rated")).map(Number)).toEqual(numbers);
    });

    check("a full disk is told, and what found no room on it is sent all the same", async () => {
      // Chromium remembers for a while how much room an origin had.
      const port = new URL(place.url).port;
      const from = `http://full-${port}.localhost:${pagesPort}`;
      const tab = await blank(await makeTopic("full", from), from);
      await tab.setRoom(1_000_000);
      await tab.setOffline(true);
      const told = await tab.evaluate(`(async () => {
        window.troubles = new Set();
        window.sent = 0;
        const onTrouble = ({ code }) => troubles.add(code);
        window.p = m.producer(link, "full", { queue: m.indexedDbQueue("full"), onTrouble });
        // The browser compresses what it keeps, and chance cannot be.
        const chance = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(60_000))));
        const large = Array.from({ length: 8 }, chance).join("");
        for (let n = 0; n < 4; n++) p.send(n + large).then(() => sent++);
        return await p.saved().catch(({ code }) => code);
      })()`);
      expect(told).toBe("unsaved");
      expect(await tab.evaluate("troubles.has('unsaved')")).toBe(true);
      await tab.setOffline(false);
      await tab.until("sent === 4");
      await tab.evaluate("p.saved().then(() => p.close())");
      await tab.setRoom();
      expect((await valuesOf("full")).map((value) => String(value)[0])).toEqual([..."0123"]);
    });

    check("consumers go on when the server comes back, by events and by WebSocket", async () => {
      const tab = await blank(await makeTopic("news"));
      await tab.evaluate(`m.produce(link, "news", 0).then(() => {
        window.seen = { events: [], websocket: [] };
        window.opened = { events: 0, websocket: 0 };
        for (const transport of Object.keys(seen)) (async () => {
          const options = { from: "earliest", transport, onOpen: () => opened[transport]++ };
          for await (const { value } of m.consume(link, "news", options)) {
            seen[transport].push(value);
          }
        })().catch((error) => seen[transport].push(error.message));
      })`);
      await tab.until("seen.events.length + seen.websocket.length === 2");
      await place.kill();
      await place.start();
      for (let n = 1; n < 5; n++) await tab.evaluate(`m.produce(link, "news", ${n})`);
      await tab.until("seen.events.length + seen.websocket.length >= 10");
      const all = [0, 1, 2, 3, 4];
      expect(await tab.evaluate("[seen, opened]")).toEqual([
        { events: all, websocket: all },
        { events: 2, websocket: 2 },
      ]);
    });

    check("a slow loop over a WebSocket holds what it has given credit for", async () => {
      const tab = await blank(await makeTopic("many"));
      const found = await tab.evaluate(`(async () => {
        const p = m.producer(link, "many");
        await Promise.all(Array.from({ length: 3000 }, (_, n) => p.send(n)));
        let messages = 0;
        const Real = WebSocket;
        WebSocket = class extends Real {
          constructor(...given) {
            super(...given);
            this.addEventListener("message", () => messages++);
          }
        };
        const numbers = [];
        let most = 0;
        const options = { from: "earliest", transport: "websocket" };
        for await (const { value } of m.consume(link, "many", options)) {
          if (value % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
          numbers.push(value);
          most = Math.max(most, messages - numbers.length);
          if (numbers.length === 3000) break;
        }
        return [numbers.every((n, index) => n === index), most > 100, most <= 520];
      })()`);
      expect(found).toEqual([true, true, true]);
    });

    check("a token for another topic is told so, by any transport", async () => {
      await makeTopic("closed");
      const tab = await blank(await makeTopic("open"));
      for (const transport of ["events", "poll", "websocket"]) {
        const code = await tab.evaluate(`m.consume(link, "closed", { transport: "${transport}" })
          .next().catch(({ status }) => status)`);
        expect([transport, code]).toEqual([transport, 403]);
      }
    });

    check("rows come as Arrow into the page's own apache-arrow", async () => {
      const tab = await blank();
      const found = await tab.evaluate(`(async () => {
        const arrow = await import("/modules/apache-arrow.js");
        await m.sql(link, "CREATE STREAM sales (customer STRING, total INT)");
        await m.produce(link, "sales", { customer: "eu-1", total: 5 }, { key: "k" });
        await m.produce(link, "sales", { customer: "us-7", total: 7 });
        const sql = "SELECT customer, SUM(total) AS total FROM sales GROUP BY customer ORDER BY total";
        const table = await m.arrowTable(link, sql, arrow);
        let rows = 0;
        for await (const batch of m.arrowBatches(link, sql, arrow)) rows += batch.numRows;
        const plain = await m.rowsOf(link, sql);
        const first = await m.arrowRecords(link, "sales", arrow, { maxRecords: 1 });
        const { cursor } = first;
        const second = await m.arrowRecords(link, "sales", arrow, { cursor });
        const read = first.table.numRows + second.table.numRows;
        return [table.toArray().map(String), table instanceof arrow.Table, rows + read, plain];
      })()`);
      expect(found).toEqual([
        ['{"customer": "eu-1", "total": 5}', '{"customer": "us-7", "total": 7}'],
        ...[true, 4],
        [
          { customer: "eu-1", total: 5 },
          { customer: "us-7", total: 7 },
        ],
      ]);
    });

    check("what waits in memory leaves by beacon when the page goes", async () => {
      const tab = await blank(await makeTopic("last"));
      // Requests of any other sort never leave.
      await tab.evaluate(`(async () => {
        const silent = m.connect(link.url, {
            token: (await link.token()),
            fetch: () => new Promise(() => {}),
          });
        const p = m.producer(silent, "last", { batchBytesMax: 60 });
        for (const value of ["good", "bye", { now: 1 }]) p.send(value, { key: "k" });
      })()`);
      expect(await valuesOf("last")).toEqual([]);
      await tab.go("about:blank");
      const values = await untilValues("last", 3);
      expect(new Set(values.map(String))).toEqual(new Set(["good", "bye", "[object Object]"]));
    });

    check("a page that was thought gone and lives on appends nothing twice", async () => {
      const tab = await blank(await makeTopic("back"));
      const sent = await tab.evaluate(`(async () => {
        const p = m.producer(link, "back", { lingerMs: 300, batchBytesMax: 60 });
        const all = [0, 1, 2, 3, 4].map((n) => p.send(n));
        dispatchEvent(new Event("pagehide"));
        return (await Promise.all(all)).length + (await p.send(5)).offsets.length;
      })()`);
      expect(sent).toBe(6);
      const numbers = (await valuesOf("back")).map(Number);
      expect(numbers.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    });
  });
}

function html(text: string): Response {
  return new Response(text, { headers: { "Content-Type": "text/html" } });
}

function script(text: string): Response {
  return new Response(text, { headers: { "Content-Type": "text/javascript" } });
}

/** As a page's bundler would make it. */
async function arrowModule(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(root, "node_modules/apache-arrow/Arrow.dom.mjs")],
    ...{ target: "browser", format: "esm" },
  });
  return (await built.outputs[0]?.text()) ?? "";
}
