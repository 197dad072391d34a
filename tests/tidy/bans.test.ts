import { describe, expect, test } from "bun:test";
import { type SourceFile, sourceFiles } from "./source-files.ts";

interface Ban {
  readonly what: RegExp;
  readonly instead: string;
  /** Where it is allowed. */
  readonly except: (path: string) => boolean;
}

const inRuntime = (path: string) =>
  /^src\/(runtime|cli)\//.test(path) || path === "src/client/platform.ts";
const nowhere = () => false;

const bans: readonly Ban[] = [
  { what: /\bDate\.now\(|\bnew Date\(\)/, instead: "Platform.clock.now()", except: inRuntime },
  { what: /\bperformance\.now\(/, instead: "Platform.clock.monotonic()", except: inRuntime },
  { what: /\bMath\.random\(/, instead: "Platform.random", except: inRuntime },
  { what: /\bcrypto\.(randomUUID|getRandomValues)/, instead: "Platform.random", except: inRuntime },
  { what: /\bset(Timeout|Interval)\(/, instead: "Platform.timers", except: inRuntime },
  { what: /\bimport \{ z \} from "zod"/, instead: 'import * as z from "zod"', except: nowhere },
  { what: /\bnew Function\(|\beval\(/, instead: "closures: workerd forbids it", except: nowhere },
  { what: /@ts-(ignore|expect-error|nocheck)/, instead: "a true type", except: nowhere },
  { what: /\b(TODO|FIXME|XXX)\b/, instead: "the work itself, or an issue", except: nowhere },
];

const files = sourceFiles("src");

describe("bans", () => {
  for (const { what, instead, except } of bans) {
    test(`${what.source} is not used; instead: ${instead}`, () => {
      const found = files.filter(({ path }) => !except(path)).flatMap((file) => places(file, what));
      expect(found).toEqual([]);
    });
  }

  test("tests skip nothing and single nothing out", () => {
    const found = sourceFiles("tests").flatMap((file) =>
      places(file, /\b(test|describe|it)\.(skip|only|todo)(If)?\(/),
    );
    expect(found).toEqual([]);
  });
});

function places(file: SourceFile, what: RegExp): string[] {
  return file.lines.flatMap((line, index) =>
    what.test(withoutComment(line)) ? [`${file.path}:${index + 1}`] : [],
  );
}

function withoutComment(line: string): string {
  return /^\s*(\*|\/\/|\/\*)/.test(line) && !line.includes("@ts-") ? "" : line;
}
