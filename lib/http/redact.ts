/**
 * Keeps secrets out of what is printed: tokens, codes, and pre-authenticated URLs, which a service or a gateway may repeat
 * in the texts of its answers.
 *
 * @module
 */

/** What is put in the place of a secret. */
const GONE = "…";

/**
 * Whole URLs, also encoded ones, and what is left of those that were cut: their host is told elsewhere, and the rest may be
 * all that it takes to get in. Upload URLs hold single quotes: `guid='…'`.
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
/** Nothing that people write is so long without a space or a dot; ids of drives are, and are no loss in such a text. */
const OPAQUE = /(?:[\w+/=~-]|%[0-9a-f]{2}){40,}/gi;
/** A segment of a path may be a name, which may be long, or the id of a drive: 66 characters. */
const OPAQUE_SEGMENT = /^[\w+=~.-]{100,}$/;

/** A text of a service, on one line, without what may be a secret in it. */
export function redact(text: string): string {
  return unescaped(text).replace(URLS, GONE).replace(QUERIES, `?${GONE}`).replace(JWTS, GONE)
    .replace(BEARERS, `$1 ${GONE}`).replace(NAMED, `$1=${GONE}`).replace(OPAQUE, GONE)
    .replace(/\s+/g, " ").trim();
}

/** JSON may write any character of a URL in another way, and does so twice where one JSON text holds another. */
function unescaped(text: string): string {
  return text.replace(/\\+u00([2-7][\da-f])/gi, (_, code) => String.fromCharCode(parseInt(code, 16)))
    .replace(/\\+\//g, "/");
}

/** A code or an id as services write them; `undefined` for anything else that came in its place. */
export function safeIdentifier(text: unknown, mostCharacters = 100): string | undefined {
  if (typeof text !== "string" || text.length > mostCharacters || !/^[\w .,:;-]+$/.test(text)) {
    return undefined;
  }
  return redact(text) === text ? text : undefined;
}

/**
 * Host and path of a request, as `--verbose` shows it. A query may hold anything, so it is left out.
 *
 * @param secret The path is a secret as well: upload and download URLs.
 */
export function shownTarget(address: string, secret: boolean): string {
  const { host, pathname } = new URL(address);
  if (secret) return `${host}/${GONE}`;
  const segments = pathname.split("/").map((segment) =>
    OPAQUE_SEGMENT.test(segment) ? GONE : segment.replace(JWTS, GONE)
  );
  return host + segments.join("/");
}
