import { describe, expect, test } from "bun:test";
import { AppendCalls, answerAll, type Way } from "../../../../src/runtime/workerd/append-calls.ts";
import type { AppendAnswer, LogObjects } from "../../../../src/runtime/workerd/bindings.ts";
import { ObjectLoad } from "../../../../src/runtime/workerd/object-load.ts";
import type { HandedRequest } from "../../../../src/server/http/request-head.ts";

const url = "https://log.example/v1/topics/orders/records";

function appendOf(body: string, headers: Record<string, string> = {}): Request {
  const length = { "Content-Length": String(new TextEncoder().encode(body).length) };
  return new Request(url, { method: "POST", body, headers: { ...length, ...headers } });
}

async function ask(appendCalls: AppendCalls, request: Request, way: Way): Promise<Response> {
  const head = AppendCalls.headOf(request);
  if (head === undefined) throw new Error("not taken");
  return await appendCalls.ask(request, head, way);
}

/** Objects that answer each append with their name, its body and its token. */
function objects(failure?: Error, load?: ObjectLoad) {
  const calls: { readonly name: string; readonly count: number }[] = [];
  const answer = async ({ headers, handedBody }: HandedRequest): Promise<AppendAnswer> => {
    const text = new TextDecoder().decode(handedBody);
    const asked = { token: headers.get("Authorization"), cookie: headers.get("Cookie") };
    return {
      status: text === "" ? 400 : 200,
      headers: [["Content-Type", "application/json"]],
      text: JSON.stringify({ text, ...asked }),
    };
  };
  const binding: LogObjects = {
    getByName: (name) => ({
      fetch: async () => new Response(),
      hear: async () => undefined,
      listen: async () => {},
      listenForGroup: async () => {},
      callGroup: () => Promise.reject(new Error("not asked for")),
      maintain: async () => {},
      appendAll: async (asked, bodies) => {
        calls.push({ name, count: (JSON.parse(asked) as unknown[]).length });
        if (failure !== undefined) throw failure;
        return await answerAll(answer, { asked, bodies: new Uint8Array(bodies) }, load);
      },
    }),
  };
  return { binding, calls };
}

/** The way to one of them, and what is said on it. */
function wayTo(binding: LogObjects, name = "0") {
  const heard: [string, number][] = [];
  const counts = { placed: 0, done: 0 };
  const place = () => {
    counts.placed += 1;
    return {
      name,
      done: () => {
        counts.done += 1;
      },
    };
  };
  const way: Way = {
    ...{ objects: binding, place, later: () => {} },
    heard: (...said) => heard.push(said),
  };
  return { way, heard, counts };
}

describe("AppendCalls", () => {
  test("takes small appends of known length alone", () => {
    const takes = (request: Request) => AppendCalls.headOf(request) !== undefined;
    expect(takes(appendOf("one"))).toBe(true);
    expect(takes(new Request(url, { method: "POST", body: "one" }))).toBe(false);
    expect(takes(appendOf("one", { "Content-Length": "65537" }))).toBe(false);
    expect(takes(appendOf("one", { "Content-Length": "many" }))).toBe(false);
    expect(takes(new Request(url))).toBe(false);
    // Names of topics have no character that needs it; the object reads the path otherwise.
    expect(takes(new Request(url.replace("orders", "o%72ders"), appendOf("")))).toBe(false);
    expect(takes(new Request(`${url}/0`, appendOf("one")))).toBe(false);
  });

  test("gives the head that an append is told of, with the path as it stands", () => {
    const head = AppendCalls.headOf(
      new Request(`${url}?body=json`, appendOf("one", { Origin: "https://shop.example" })),
    );
    expect(head).toMatchObject({ method: "POST", pathname: "/v1/topics/orders/records" });
    expect(head?.url).toBe(`${url}?body=json`);
    expect(head?.headers.get("Origin")).toBe("https://shop.example");
    // As raw requests have them, which no URL was made of.
    const raw = (path: string) => ({
      ...{ method: "POST", url: `https://log.example${path}` },
      headers: new Headers({ "Content-Length": "1" }),
    });
    for (const path of [
      "/v1/topics/../records",
      "/v1/topics/./records",
      "/v1/topics/a b/records",
    ]) {
      expect(AppendCalls.headOf(raw(path) as Request)).toBeUndefined();
    }
  });

  test("sends what comes at once in one call, and each gets its own answer", async () => {
    const { binding, calls } = objects();
    const { way } = wayTo(binding);
    const appendCalls = new AppendCalls();
    const texts = ["one", "zwölf", "", "three"];
    const answers = await Promise.all(
      texts.map((text, index) =>
        ask(appendCalls, appendOf(text, { Authorization: `Bearer ${index}`, Cookie: "a=b" }), way),
      ),
    );
    expect(calls).toEqual([{ name: "0", count: 4 }]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 200]);
    const found = await Promise.all(answers.map((answer) => answer.json()));
    expect(found as unknown).toEqual(
      texts.map((text, index) => ({ text, token: `Bearer ${index}`, cookie: null })),
    );
    expect(answers[0]?.headers.get("Content-Type")).toContain("application/json");
  });

  test("keeps objects apart, and starts another call when one is full", async () => {
    const { binding, calls } = objects();
    const appendCalls = new AppendCalls();
    const send = (name: string) => (_: unknown, index: number) =>
      ask(appendCalls, appendOf(String(index)), wayTo(binding, name).way);
    await Promise.all([
      ...Array.from({ length: 300 }, send("0")),
      ...Array.from({ length: 2 }, send("1")),
    ]);
    expect(calls).toContainEqual({ name: "0", count: 256 });
    expect(calls).toContainEqual({ name: "0", count: 44 });
    expect(calls).toContainEqual({ name: "1", count: 2 });
    expect(calls).toHaveLength(3);
  });

  test("tells all of a call that failed, and makes the next one", async () => {
    const { binding } = objects(new Error("evicted"));
    const appendCalls = new AppendCalls();
    const { way: failing, counts } = wayTo(binding);
    const both = ["one", "two"].map((text) => ask(appendCalls, appendOf(text), failing));
    for (const each of await Promise.allSettled(both)) {
      expect(each).toMatchObject({ status: "rejected", reason: { message: "evicted" } });
    }
    expect(counts).toEqual({ placed: 2, done: 2 });
    const { way: working } = wayTo(objects().binding);
    expect((await ask(appendCalls, appendOf("three"), working)).status).toBe(200);
  });

  test("hears how full the object is, and says of each append when it is over", async () => {
    const load = new ObjectLoad(
      { rateMax: 4, bytesPerSecondMax: 1e9, waitingBytesMax: 1e9 },
      { monotonic: () => 0 },
    );
    const { binding } = objects(undefined, load);
    const { way, heard, counts } = wayTo(binding, "3");
    const appendCalls = new AppendCalls();
    await Promise.all(["a", "b", "c"].map((text) => ask(appendCalls, appendOf(text), way)));
    expect(heard).toEqual([["3", 75]]);
    expect(counts).toEqual({ placed: 3, done: 3 });
  });

  test("bears an object that does not say how full it is", async () => {
    const { way, heard } = wayTo(objects().binding);
    await ask(new AppendCalls(), appendOf("a"), way);
    expect(heard).toEqual([]);
  });
});
