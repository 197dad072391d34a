import { describe, expect, test } from "bun:test";
import {
  content,
  count,
  oneOf,
  parseBytes,
  parseHostPort,
  showBytes,
  showHostPort,
  text,
  toggle,
} from "../../../../src/runtime/node/option-kinds.ts";
import { flagName, parseOptions } from "../../../../src/runtime/node/options.ts";

const table = {
  output: oneOf(["text", "json"], { short: "o", fallback: "text", doc: "format" }),
  recordCount: count("N", { min: 1 }, { doc: "records" }),
  value: content("TEXT", { doc: "value" }),
  name: text("NAME", { env: "THE_NAME", doc: "name" }),
  follow: toggle({ doc: "go on" }),
};

function parse(argv: string[], env: Record<string, string> = {}) {
  return parseOptions(table, { argv, env, command: "streamctl try" });
}

describe("parseOptions", () => {
  test("takes values after a blank and after an equals sign, and short names", () => {
    const { values } = parse(["-o", "json", "--record-count=3", "--value", "a=b"]);
    expect(values.output).toBe("json");
    expect(values.recordCount).toBe(3);
    expect(values.value).toBe("a=b");
  });

  test("leaves absent options undefined, switches off and defaults in place", () => {
    const { values } = parse([]);
    expect(values).toEqual({
      output: "text",
      recordCount: undefined,
      value: undefined,
      name: undefined,
      follow: false,
    });
  });

  test("collects positionals between options and all words after --", () => {
    const { values, positionals } = parse(["one", "--follow", "two", "--", "--value", "-x"]);
    expect(values.follow).toBe(true);
    expect(positionals).toEqual(["one", "two", "--value", "-x"]);
  });

  test("accepts a value that begins with a dash and an empty one", () => {
    expect(parse(["--value", "-5"]).values.value).toBe("-5");
    expect(parse(["--value", ""]).values.value).toBe("");
    expect(parse(["--value=--follow"]).values.value).toBe("--follow");
  });

  test("says which value is missing at the end of the line", () => {
    expect(() => parse(["--record-count"])).toThrow(
      "--record-count needs a value: expected a whole number of at least 1",
    );
  });

  test("reads a variable where no flag is given", () => {
    expect(parse([], { THE_NAME: "n" }).values.name).toBe("n");
    expect(parse(["--name", "m"], { THE_NAME: "n" }).values.name).toBe("m");
  });
});

test("flagName turns a key into a flag", () => {
  expect(flagName("flushAgeMs")).toBe("flush-age-ms");
});

describe("sizes", () => {
  test("parseBytes reads binary and decimal units and plain bytes", () => {
    expect(parseBytes("8MiB")).toBe(8_388_608);
    expect(parseBytes("64MB")).toBe(64_000_000);
    expect(parseBytes("64 kb")).toBe(64_000);
    expect(parseBytes("1.5GiB")).toBe(1_610_612_736);
    expect(parseBytes("4096")).toBe(4096);
  });

  test("parseBytes refuses what is no size", () => {
    for (const wrong of ["", "MiB", "-1", "8 MB extra", "8XB", "1e9", "9999999999999999TiB"]) {
      expect(parseBytes(wrong)).toBeUndefined();
    }
  });

  test("showBytes uses the largest unit that divides", () => {
    expect(showBytes(8_388_608)).toBe("8MiB");
    expect(showBytes(65_536)).toBe("64KiB");
    expect(showBytes(1000)).toBe("1000");
  });
});

describe("addresses", () => {
  test("parseHostPort reads names, IPv4 and bracketed IPv6", () => {
    expect(parseHostPort("localhost:80")).toEqual({ host: "localhost", port: 80 });
    expect(parseHostPort("[::1]:9092")).toEqual({ host: "::1", port: 9092 });
    expect(showHostPort({ host: "::1", port: 9092 })).toBe("[::1]:9092");
  });

  test("parseHostPort refuses what lacks a part or goes beyond a port", () => {
    for (const wrong of ["80", ":80", "::1:80", "a:b", "a:65536", "http://a:80", "a b:1"]) {
      expect(parseHostPort(wrong)).toBeUndefined();
    }
  });
});
