import { clauseStarts, reservedWords, unsupportedWords } from "./keywords.ts";

export function canBeAlias(word: string): boolean {
  return !reservedWords.has(word) && !clauseStarts.has(word) && !unsupportedWords.has(word);
}
