/** What the functions of `functions.ts` share: their arguments, and the way to JavaScript. */
import { INTEGER, NULL, resultNull, userData, valueInt64, valueType } from "./sqlite";

@external("env", "callHost")
declare function callHost(number: usize, context: usize, argCount: i32, args: usize): void;

export function hosted(context: usize, argCount: i32, args: usize): void {
  callHost(userData(context), context, argCount, args);
}

/** What a twin cannot answer. */
export function fallback(context: usize, argCount: i32, args: usize): void {
  for (let index: i32 = 0; index < argCount; index++) {
    if (typeOf(args, index) == NULL) {
      resultNull(context);
      return;
    }
  }
  hosted(context, argCount, args);
}

// @ts-ignore: decorator
@inline
export function arg(args: usize, index: usize): usize {
  return <usize>load<u32>(args + (index << 2));
}

// @ts-ignore: decorator
@inline
export function typeOf(args: usize, index: usize): i32 {
  return valueType(arg(args, index));
}

// @ts-ignore: decorator
@inline
export function integerOf(args: usize, index: usize): i64 {
  return valueInt64(arg(args, index));
}

// @ts-ignore: decorator
@inline
export function areIntegers(args: usize): bool {
  return typeOf(args, 0) == INTEGER && typeOf(args, 1) == INTEGER;
}
