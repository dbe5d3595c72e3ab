// Verifying Ed25519 (RFC 8032 §5.1), strictly.
//
// Browsers have an Ed25519 of their own, but not all of them, and they differ in what they let
// through: points of small order, two spellings of one point. A verdict must not depend on the
// browser, so this is the only one that is used. It takes some milliseconds a signature, and a
// bundle has two.

import { concat } from "./bytes";
import { sha512 } from "./sha512";

const P = (1n << 255n) - 19n;
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

const mod = (x: bigint): bigint => {
  const rest = x % P;
  return rest < 0n ? rest + P : rest;
};

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** x, y, z and t with x = X/Z, y = Y/Z, x·y = T/Z. */
type Point = readonly [bigint, bigint, bigint, bigint];
const NEUTRAL: Point = [0n, 1n, 1n, 0n];

function add(p: Point, q: Point): Point {
  const a = mod((p[1] - p[0]) * (q[1] - q[0]));
  const b = mod((p[1] + p[0]) * (q[1] + q[0]));
  const c = mod(2n * p[3] * q[3] * D);
  const d = mod(2n * p[2] * q[2]);
  const e = b - a;
  const f = d - c;
  const g = d + c;
  const h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(point: Point, factor: bigint): Point {
  let result = NEUTRAL;
  for (let doubled = point; factor > 0n; factor >>= 1n) {
    if (factor & 1n) result = add(result, doubled);
    doubled = add(doubled, doubled);
  }
  return result;
}

const areSame = (p: Point, q: Point): boolean =>
  mod(p[0] * q[2] - q[0] * p[2]) === 0n && mod(p[1] * q[2] - q[1] * p[2]) === 0n;

function number(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

/** The point of 32 bytes; none if they are no point, or another spelling of one. */
function decode(bytes: Uint8Array): Point | null {
  const whole = number(bytes);
  const sign = whole >> 255n;
  const y = whole & ((1n << 255n) - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const v3 = mod(v * v * v);
  let x = mod(u * v3 * power(u * v3 * v3 * v, (P - 5n) / 8n));
  const back = mod(v * x * x);
  if (back === mod(-u)) x = mod(x * ROOT_OF_MINUS_ONE);
  else if (back !== u) return null;
  if (x === 0n && sign === 1n) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

const BASE_Y = mod(4n * power(5n, P - 2n));
const BASE = decode(
  Uint8Array.from({ length: 32 }, (_, i) => Number((BASE_Y >> BigInt(8 * i)) & 0xffn)),
) as Point;

const isOfSmallOrder = (point: Point): boolean => areSame(times(point, 8n), NEUTRAL);

/** Whether 32 bytes are a public key that may be used at all. */
export function isPublicKey(key: Uint8Array): boolean {
  const point = key.length === 32 ? decode(key) : null;
  return point !== null && !isOfSmallOrder(point);
}

export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  const a = decode(key);
  const r = decode(signature.subarray(0, 32));
  const s = number(signature.subarray(32));
  if (a === null || r === null || s >= ORDER || isOfSmallOrder(a) || isOfSmallOrder(r)) return false;
  const k = number(sha512(concat(signature.subarray(0, 32), key, message))) % ORDER;
  return areSame(times(BASE, s), add(r, times(a, k)));
}
