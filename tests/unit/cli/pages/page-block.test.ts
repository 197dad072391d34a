import { describe, expect, test } from "bun:test";
import { markdownTable, withBlock } from "../../../../src/cli/pages/page-block.ts";

const begin = "<!-- facts: made by `npm run docs` from src/facts.ts -->";

describe("withBlock", () => {
  const block = { name: "facts", source: "src/facts.ts", markdown: "new" };

  test("writes what lies between the marks anew and nothing else", () => {
    const page = `# Page\n\n${begin}\n\nold\n\n<!-- /facts -->\n\nend\n`;
    expect(withBlock(page, block)).toBe(`# Page\n\n${begin}\n\nnew\n\n<!-- /facts -->\n\nend\n`);
  });

  test("gives a page that it wrote back as it is", () => {
    const page = `${begin}\n\nnew\n\n<!-- /facts -->`;
    expect(withBlock(page, block)).toBe(page);
  });

  test.each([
    ["without marks", "# Page"],
    ["without an end", `${begin}\n`],
    ["with the end first", `<!-- /facts -->\n${begin}\n`],
  ])("refuses a page %s", (_, page) => {
    expect(() => withBlock(page, block)).toThrow("lacks the marks");
  });
});

test("markdownTable escapes bars within cells", () => {
  expect(markdownTable(["a", "b"], [["x|y", "z"]])).toBe("| a | b |\n|---|---|\n| x\\|y | z |");
});
