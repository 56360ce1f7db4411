/**
 * Keeps secrets out of the output: tokens, codes, and pre-authenticated URLs, which messages of the service may repeat.
 *
 * @module
 */

const REDACTED = "…";

/**
 * Whole URLs, also encoded or truncated ones: messages name the host separately, and the rest may grant access. Upload URLs
 * contain single quotes: `guid='…'`.
 */
const URLS = /(https?(:|%3a)|(:|%3a)?(\/|%2f){2})[^\s"<>]*/gi;
const QUERIES = /\?[^\s"<>]*/g;
const JWTS = /\beyJ[\w-]{8,}[\w.-]*/g;
const BEARERS = /\b(bearer)(\s|%20|\+)+[\w.~+/=%-]+/gi;
const NAMED = new RegExp(
  String.raw`\b(tempauth|access_token|refresh_token|id_token|device_code|client_secret|client_assertion|` +
    String.raw`code_verifier|password|authkey|sig|guid)\b(["']?\s*[:=]\s*["']?|%3d)[^\s"'&<>]+`,
  "gi",
);
/** No ordinary word is this long without a space or dot; drive ids are, but may be lost in a message. */
const OPAQUE = /(?:[\w+/=~-]|%[0-9a-f]{2}){40,}/gi;
/** A segment of a path may be a long name, or a drive id of 66 characters. */
const OPAQUE_SEGMENT = /^[\w+=~.-]{100,}$/;

/** A message of a service on one line, with everything removed that may be a secret. */
export function redact(text: string): string {
  return unescaped(text).replace(URLS, REDACTED).replace(QUERIES, `?${REDACTED}`).replace(JWTS, REDACTED)
    .replace(BEARERS, `$1 ${REDACTED}`).replace(NAMED, `$1=${REDACTED}`).replace(OPAQUE, REDACTED)
    .replace(/\s+/g, " ").trim();
}

/** JSON may escape any character of a URL, and escapes it again where it contains another JSON text. */
function unescaped(text: string): string {
  return text.replace(/\\+u00([2-7][\da-f])/gi, (_, code) => String.fromCharCode(parseInt(code, 16)))
    .replace(/\\+\//g, "/");
}

/** A code or an id as services write them; `undefined` for anything else. */
export function safeIdentifier(text: unknown, maxLength = 100): string | undefined {
  const isPlain = typeof text === "string" && text.length <= maxLength && /^[\w .,:;-]+$/.test(text);
  return isPlain && redact(text) === text ? text : undefined;
}

/** Host and path of a request, for traces; only the host where the path is a secret as well: upload and download URLs. */
export function shownTarget(address: string, secret: boolean): string {
  const { host, pathname } = new URL(address);
  if (secret) return `${host}/${REDACTED}`;
  const segments = pathname.split("/").map((segment) =>
    OPAQUE_SEGMENT.test(segment) ? REDACTED : segment.replace(JWTS, REDACTED)
  );
  return host + segments.join("/");
}
