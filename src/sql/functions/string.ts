/** String functions as they are written. Positions count characters (code points) from 1. */

import type { DataType } from "../types/data-type.ts";
import { booleanType, intType, isCharacter, stringType } from "../types/show-type.ts";
import { BindFault, define, type FunctionDefinition, type Parameter } from "./definition.ts";

interface StringFunction {
  readonly names: string;
  readonly syntax: string;
  readonly doc: string;
  readonly takes: readonly Parameter[];
  readonly gives?: DataType;
  readonly nullable?: "always" | "never";
}

function stringFunction(options: StringFunction): FunctionDefinition {
  return define({ group: "string", gives: stringType, ...options });
}

const concatenation: FunctionDefinition = define({
  group: "string",
  key: "concatenate",
  names: "",
  syntax: "string1 || string2",
  doc: "Both texts, one behind the other.",
  takes: ["string", "string"],
  gives: ([left, right]) => {
    const lengths = [left, right].map((side) =>
      side !== undefined && isCharacter(side.type) ? side.type.length : null,
    );
    const [first = null, second = null] = lengths;
    return first === null || second === null
      ? stringType
      : { kind: "varchar", length: first + second };
  },
  lower: ([left, right]) => `(${left} || ${right})`,
});

const bytesConcatenation: FunctionDefinition = {
  ...concatenation,
  bind: (args) => {
    const [left, right] = args;
    if (left?.type.kind === "bytes" || right?.type.kind === "bytes") {
      throw new BindFault("|| of BYTES is not supported yet");
    }
    return concatenation.bind(args);
  },
};

const basics: readonly StringFunction[] = [
  {
    names: "CHAR_LENGTH CHARACTER_LENGTH",
    syntax: "CHAR_LENGTH(string)",
    doc: "Number of characters.",
    takes: ["string"],
    gives: intType,
  },
  { names: "UPPER", syntax: "UPPER(string)", doc: "In capitals.", takes: ["string"] },
  { names: "LOWER", syntax: "LOWER(string)", doc: "In small letters.", takes: ["string"] },
  {
    names: "INITCAP",
    syntax: "INITCAP(string)",
    doc: "First letter of each word in capitals, the others small.",
    takes: ["string"],
  },
  {
    names: "POSITION",
    syntax: "POSITION(part IN string)",
    doc: "Where the part first stands; 0: nowhere.",
    takes: ["string", "string"],
    gives: intType,
  },
  {
    names: "INSTR",
    syntax: "INSTR(string, part[, start[, occurrence]])",
    doc: "Where the part stands; 0: nowhere.",
    takes: ["string", "string", "int?", "int?"],
    gives: intType,
  },
  {
    names: "LOCATE",
    syntax: "LOCATE(part, string[, start])",
    doc: "Where the part first stands, from a start on; 0: nowhere.",
    takes: ["string", "string", "int?"],
    gives: intType,
  },
  {
    names: "TRIM",
    syntax: "TRIM([BOTH | LEADING | TRAILING] [characters FROM] string)",
    doc: "Without these characters (blanks) at its ends.",
    takes: ["string"],
  },
  {
    names: "BTRIM",
    syntax: "BTRIM(string[, characters])",
    doc: "Without these characters (blanks) at both ends.",
    takes: ["string", "string?"],
  },
  {
    names: "LTRIM",
    syntax: "LTRIM(string[, characters])",
    doc: "Without these characters (blanks) at its start.",
    takes: ["string", "string?"],
  },
  {
    names: "RTRIM",
    syntax: "RTRIM(string[, characters])",
    doc: "Without these characters (blanks) at its end.",
    takes: ["string", "string?"],
  },
  {
    names: "SUBSTRING SUBSTR",
    syntax: "SUBSTRING(string FROM start [FOR length])",
    doc: "Part from a position on; a negative one counts from the end.",
    takes: ["string", "int", "int?"],
  },
  {
    names: "OVERLAY",
    syntax: "OVERLAY(string PLACING other FROM start [FOR length])",
    doc: "With a part replaced by another text.",
    takes: ["string", "string", "int", "int?"],
  },
  {
    names: "REPLACE",
    syntax: "REPLACE(string, part, other)",
    doc: "With each occurrence of the part replaced.",
    takes: ["string", "string", "string"],
  },
  {
    names: "TRANSLATE",
    syntax: "TRANSLATE(string, from, to)",
    doc: "Each character of `from` replaced by its neighbour in `to`, or left out.",
    takes: ["string", "string", "string"],
  },
  {
    names: "LEFT",
    syntax: "LEFT(string, length)",
    doc: "The first characters.",
    takes: ["string", "int"],
  },
  {
    names: "RIGHT",
    syntax: "RIGHT(string, length)",
    doc: "The last characters.",
    takes: ["string", "int"],
  },
  {
    names: "LPAD",
    syntax: "LPAD(string, length, padding)",
    doc: "Filled at its start, or cut, to a length.",
    takes: ["string", "int", "string"],
    nullable: "always",
  },
  {
    names: "RPAD",
    syntax: "RPAD(string, length, padding)",
    doc: "Filled at its end, or cut, to a length.",
    takes: ["string", "int", "string"],
    nullable: "always",
  },
  {
    names: "REPEAT",
    syntax: "REPEAT(string, count)",
    doc: "So many times in a row.",
    takes: ["string", "int"],
  },
  { names: "REVERSE", syntax: "REVERSE(string)", doc: "Back to front.", takes: ["string"] },
  {
    names: "CONCAT",
    syntax: "CONCAT(string1, …)",
    doc: "All one behind the other; NULL where one is.",
    takes: ["string", "string*"],
  },
  {
    names: "CONCAT_WS",
    syntax: "CONCAT_WS(separator, string1, …)",
    doc: "All that are not NULL, with a separator between.",
    takes: ["string", "string*"],
  },
  {
    names: "SPLIT_INDEX",
    syntax: "SPLIT_INDEX(string, delimiter, index)",
    doc: "The part between delimiters with this number, from 0; NULL: there are not so many.",
    takes: ["string", "string", "int"],
    nullable: "always",
  },
  {
    names: "ELT",
    syntax: "ELT(index, string1, …)",
    doc: "The text with this number, from 1; NULL: there are not so many.",
    takes: ["int", "string", "string*"],
    nullable: "always",
  },
  {
    names: "STARTSWITH",
    syntax: "STARTSWITH(string, part)",
    doc: "Whether it begins so.",
    takes: ["string", "string"],
    gives: booleanType,
  },
  {
    names: "ENDSWITH",
    syntax: "ENDSWITH(string, part)",
    doc: "Whether it ends so.",
    takes: ["string", "string"],
    gives: booleanType,
  },
];

const patterns: readonly StringFunction[] = [
  {
    names: "REGEXP REGEXP_LIKE RLIKE",
    syntax: "REGEXP(string, pattern)",
    doc: "Whether the regular expression matches somewhere.",
    takes: ["string", "string"],
    gives: booleanType,
  },
  {
    names: "REGEXP_REPLACE",
    syntax: "REGEXP_REPLACE(string, pattern, replacement)",
    doc: "With each match replaced by the text as it stands.",
    takes: ["string", "string", "string"],
  },
  {
    names: "REGEXP_EXTRACT",
    syntax: "REGEXP_EXTRACT(string, pattern[, group])",
    doc: "A group of the first match (0: all of it); NULL: no match.",
    takes: ["string", "string", "int?"],
    nullable: "always",
  },
  {
    names: "REGEXP_COUNT",
    syntax: "REGEXP_COUNT(string, pattern)",
    doc: "Number of matches.",
    takes: ["string", "string"],
    gives: intType,
  },
  {
    names: "REGEXP_INSTR",
    syntax: "REGEXP_INSTR(string, pattern)",
    doc: "Where the first match stands; 0: nowhere.",
    takes: ["string", "string"],
    gives: intType,
  },
  {
    names: "REGEXP_SUBSTR",
    syntax: "REGEXP_SUBSTR(string, pattern)",
    doc: "The first match; NULL: none.",
    takes: ["string", "string"],
    nullable: "always",
  },
];

const codes: readonly StringFunction[] = [
  {
    names: "ASCII",
    syntax: "ASCII(string)",
    doc: "Code of the first byte; 0 of an empty text.",
    takes: ["string"],
    gives: intType,
  },
  {
    names: "CHR",
    syntax: "CHR(integer)",
    doc: "The character of a code, modulo 256.",
    takes: ["bigint"],
  },
  {
    names: "TO_BASE64",
    syntax: "TO_BASE64(string)",
    doc: "Base64 of the text's UTF-8 bytes.",
    takes: ["string"],
  },
  {
    names: "FROM_BASE64",
    syntax: "FROM_BASE64(string)",
    doc: "The text that Base64 stands for; an error where it is none.",
    takes: ["string"],
  },
  {
    names: "ENCODE",
    syntax: "ENCODE(string, charset)",
    doc: "Bytes in UTF-8, US-ASCII, ISO-8859-1, UTF-16BE, UTF-16LE or UTF-16.",
    takes: ["string", "string"],
    gives: { kind: "bytes" },
  },
  {
    names: "DECODE",
    syntax: "DECODE(bytes, charset)",
    doc: "Text of bytes in one of the charsets of ENCODE.",
    takes: ["bytes", "string"],
  },
  {
    names: "URL_ENCODE",
    syntax: "URL_ENCODE(string)",
    doc: "In the form of `application/x-www-form-urlencoded`.",
    takes: ["string"],
    nullable: "always",
  },
  {
    names: "URL_DECODE",
    syntax: "URL_DECODE(string)",
    doc: "Out of that form; NULL where it is not well formed.",
    takes: ["string"],
    nullable: "always",
  },
  {
    names: "PARSE_URL",
    syntax: "PARSE_URL(url, part[, key])",
    doc: "HOST, PATH, QUERY, REF, PROTOCOL, AUTHORITY, FILE or USERINFO of a URL; QUERY of a key.",
    takes: ["string", "string", "string?"],
    nullable: "always",
  },
];

export const stringFunctions: readonly FunctionDefinition[] = [
  bytesConcatenation,
  ...[...basics, ...patterns, ...codes].map(stringFunction),
];
