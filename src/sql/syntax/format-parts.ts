/** The leaves of a statement as text: names, strings, types, literals of time. */

import type { IntervalLiteral } from "./ast.ts";
import { reservedWords } from "./keywords.ts";
import type { Identifier, NamePath } from "./node.ts";
import type { TypeNode } from "./type-node.ts";

export function nameText({ text, isQuoted }: Identifier): string {
  const isPlain = /^[\p{L}_][\p{L}\p{Nd}\p{M}_$]*$/u.test(text);
  const isBare = !isQuoted && isPlain && !reservedWords.has(text.toUpperCase());
  return isBare ? text : `\`${text.replaceAll("`", "``")}\``;
}

/** After the first dot a word may be reserved. */
export function pathText({ parts }: Pick<NamePath, "parts">): string {
  return parts.map(nameText).join(".");
}

export function namesText(names: readonly Identifier[]): string {
  return names.map(nameText).join(", ");
}

export function stringText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export function intervalText({ text, isNegative, from, to }: IntervalLiteral): string {
  const range = to === null ? from : `${from} TO ${to}`;
  return `INTERVAL ${isNegative ? "-" : ""}'${text}' ${range}`;
}

export function typeText(type: TypeNode): string {
  return bareTypeText(type) + (type.isNullable ? "" : " NOT NULL");
}

function bareTypeText(type: TypeNode): string {
  switch (type.kind) {
    case "scalar":
      return type.name + (type.parameters.length > 0 ? `(${type.parameters.join(", ")})` : "");
    case "interval":
      return `INTERVAL ${type.to === null ? type.from : `${type.from} TO ${type.to}`}`;
    case "row": {
      const fields = type.fields.map(({ name, type: field, comment }) => {
        const note = comment === null ? "" : ` ${stringText(comment)}`;
        return `${nameText(name)} ${typeText(field)}${note}`;
      });
      return `ROW<${fields.join(", ")}>`;
    }
    case "array":
    case "multiset":
      return `${type.kind.toUpperCase()}<${typeText(type.element)}>`;
    case "map":
      return `MAP<${typeText(type.key)}, ${typeText(type.value)}>`;
  }
}
