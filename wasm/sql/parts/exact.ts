/** Exact numbers within 64 bits. What leaves them sets `hasOverflowed`, which the caller resets. */

export let hasOverflowed: bool = false;

export function resetOverflow(): void {
  hasOverflowed = false;
}

/** What cannot be said in 64 bits. */
export function overflow(): void {
  hasOverflowed = true;
}

export function addExact(a: i64, b: i64): i64 {
  const sum = a + b;
  if (((a ^ sum) & (b ^ sum)) < 0) hasOverflowed = true;
  return sum;
}

export function subtractExact(a: i64, b: i64): i64 {
  const difference = a - b;
  if (((a ^ b) & (a ^ difference)) < 0) hasOverflowed = true;
  return difference;
}

export function multiplyExact(a: i64, b: i64): i64 {
  const product = a * b;
  // Numbers of 32 bits cannot overflow, and a division to find out is slow.
  if (<i64>(<i32>a) == a && <i64>(<i32>b) == b) return product;
  if ((a == -1 && b == i64.MIN_VALUE) || (b == -1 && a == i64.MIN_VALUE)) hasOverflowed = true;
  else if (a != 0 && product / a != b) hasOverflowed = true;
  return product;
}

/** 10^exponent, up to 18; a greater one overflows. */
export function powerOfTen(exponent: i64): i64 {
  if (exponent > 18) {
    hasOverflowed = true;
    return 1;
  }
  let power: i64 = 1;
  for (let left = exponent; left > 0; left--) power *= 10;
  return power;
}

/** Half away from zero. The divisor is not 0. */
export function divideHalfUp(dividend: i64, divisor: i64): i64 {
  if (divisor == -1) {
    if (dividend == i64.MIN_VALUE) hasOverflowed = true;
    return 0 - dividend;
  }
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  const restSize = <u64>(rest < 0 ? -rest : rest);
  const size = divisor == i64.MIN_VALUE ? <u64>divisor : <u64>(divisor < 0 ? -divisor : divisor);
  // Twice the rest could pass 64 bits.
  if (restSize < size - restSize) return quotient;
  return dividend < 0 == divisor < 0 ? quotient + 1 : quotient - 1;
}

/** The same number at another scale, half away from zero where digits are lost. */
export function rescale(value: i64, from: i64, to: i64): i64 {
  if (to >= from) return multiplyExact(value, powerOfTen(to - from));
  return divideHalfUp(value, powerOfTen(from - to));
}

/** Whether `value` has at most so many digits. */
export function fitsPrecision(value: i64, precision: i64): bool {
  if (precision > 18) return true;
  let bound: i64 = 1;
  for (let left = precision; left > 0; left--) bound *= 10;
  return value < bound && value > -bound;
}
