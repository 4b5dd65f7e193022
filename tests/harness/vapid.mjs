/**
 * What a push service checks in the `Authorization` header of a message (RFC 8292).
 */
import { createPublicKey, verify } from 'node:crypto';

const DAY_SECONDS = 86_400;
const SUBJECT = /^(mailto:[^<>\s]+@[^<>\s]+|https:\/\/[^\s]+)$/;

/**
 * @typedef {{status: number, reason: string}} Refusal
 * @typedef {{aud: string, exp: number, sub?: string}} Claims
 */

/**
 * Checks a VAPID header; returns null when it is in order.
 *
 * @param {object} message
 * @param {string | undefined} message.authorization
 * @param {string} message.origin Origin of the push endpoint, which the token must name as its audience.
 * @param {string | undefined} message.applicationServerKey Key that the subscription was made with, base64url.
 * @param {number} [message.now] Unix time in seconds.
 * @returns {Refusal | null}
 */
export function checkVapid({ authorization, origin, applicationServerKey, now = Date.now() / 1000 }) {
  if (!authorization) return applicationServerKey ? refuse(401, 'no Authorization header') : null;
  const parameters = parametersOf(authorization);
  if (!parameters) return refuse(401, 'not a vapid header');
  const key = Buffer.from(parameters.k ?? '', 'base64url');
  if (key.length !== 65 || key[0] !== 4) return refuse(401, 'k is no uncompressed P-256 point');
  const problem = checkToken(parameters.t ?? '', key, origin, now);
  if (problem) return refuse(401, problem);
  if (applicationServerKey && !Buffer.from(applicationServerKey, 'base64url').equals(key)) {
    return refuse(403, 'k is not the key that the subscription was made with');
  }
  return null;
}

/**
 * The claims of a token, unchecked.
 *
 * @param {string} authorization
 * @returns {Claims}
 */
export function claimsOf(authorization) {
  const token = parametersOf(authorization)?.t ?? '';
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/**
 * @param {string} header
 * @returns {Record<string, string> | null}
 */
function parametersOf(header) {
  const scheme = /^vapid\s+(.+)$/i.exec(header);
  if (!scheme) return null;
  const pairs = scheme[1].split(',').map((part) => part.trim().split(/=(.*)/s).slice(0, 2));
  return Object.fromEntries(pairs);
}

/**
 * Says what is wrong with a JSON Web Token, or nothing.
 *
 * @param {string} token
 * @param {Buffer} key
 * @param {string} origin
 * @param {number} now
 */
function checkToken(token, key, origin, now) {
  const [head, body, signature] = token.split('.');
  /** @type {Claims} */
  let claims;
  try {
    const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString());
    if (alg !== 'ES256') return `alg is ${alg}`;
    claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  } catch {
    return 'the token is no JSON Web Token';
  }
  if (!signed(`${head}.${body}`, Buffer.from(signature ?? '', 'base64url'), key)) return 'the signature is wrong';
  if (claims.aud !== origin) return `aud is ${claims.aud}, not ${origin}`;
  if (!(claims.exp > now)) return 'the token is expired';
  if (claims.exp > now + DAY_SECONDS) return 'exp is more than a day ahead';
  if (claims.sub !== undefined && !SUBJECT.test(claims.sub)) return 'sub is neither mailto: nor https:';
  return null;
}

/**
 * @param {string} text
 * @param {Buffer} signature Raw r and s, 64 bytes; the DER form that many libraries make by default is refused.
 * @param {Buffer} point
 */
function signed(text, signature, point) {
  if (signature.length !== 64) return false;
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  try {
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    return verify('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false;
  }
}

/**
 * @param {number} status
 * @param {string} reason
 * @returns {Refusal}
 */
function refuse(status, reason) {
  return { status, reason };
}
