/**
 * What the service's errors mean: turns a response that is not a success into a {@linkcode GraphError}, for every shape of
 * error body that Graph, SharePoint and gateways send (PROTOCOL 9).
 *
 * @module
 */
import { type FailureKind, GraphError, isGraphError } from "../errors.ts";
import { formatUtc } from "../format.ts";
import { redact, safeIdentifier } from "../http/redact.ts";
import { type HttpResponse, requestIdOf } from "../http/response.ts";
import { retryAfterMs, waitHint } from "../http/retry.ts";
import { isJsonObject, parseJsonObject } from "../json.ts";

type Explanation = [kind: FailureKind, why: string, hint?: string];

const BY_STATUS: Readonly<Record<number, Explanation>> = {
  401: ["signInNeeded", "the service does not accept the sign-in"],
  403: [
    "refused",
    "no permission",
    "check the permissions of the app, and that you can open it in a browser with the same account",
  ],
  404: ["notFound", "it does not exist, or you may not see it"],
  409: ["conflict", "already exists"],
  412: ["conflict", "it was changed on the server meanwhile", "look at the new version, then try again"],
  423: ["conflict", "the file is locked: open in Office or checked out", "close it or check it in"],
  429: ["unavailable", "the service is throttling", "wait, then run the same command again"],
  507: ["noSpace", "the drive is full", "free space or ask for more, then run the same command again"],
};

/** By code; takes precedence over {@linkcode BY_STATUS}. The innermost known code counts, never the message (PROTOCOL 9a). */
const BY_CODE: Readonly<Record<string, Explanation>> = {
  nameAlreadyExists: BY_STATUS[409]!, // copies report both without a status
  quotaLimitReached: BY_STATUS[507]!,
  serviceReadOnly: [ // not missing permissions (PROTOCOL L3)
    "unavailable",
    "the service has made this drive read-only for maintenance",
    "try again later",
  ],
  malwareDetected: ["refused", "the service found malware in it", "ask your administrator"],
};

const UNAVAILABLE: Explanation = ["unavailable", "the service is unavailable", "try again later"];
const REJECTED: Explanation = ["failed", "the service rejected the request", "see the code and message"];

/** Explains a response that is not the expected success; `what` was being done: `upload of General/x.pdf`. */
export async function readServiceError(response: HttpResponse, what: string): Promise<GraphError> {
  if (response.status < 300) {
    await response.discard(); // it may be a whole file
    return invalidAnswer(what, response.status);
  }
  try {
    return explain(response, parseErrorBody(await response.text()), what);
  } catch (error) {
    if (isGraphError(error) && error.kind === "interrupted") throw error;
    return explain(response, parseErrorBody(""), what); // a body that breaks off must not hide the status
  }
}

/** As {@linkcode readServiceError}, for a success whose body was already read; only an error in it is quoted. */
export function toServiceError(response: HttpResponse, text: string, what: string): GraphError {
  return isErrorBody(parseJsonObject(text))
    ? explain(response, parseErrorBody(text), what)
    : invalidAnswer(what, response.status);
}

/** The error for a success whose body is not what was requested. The body may hold secrets, so it is not quoted. */
function invalidAnswer(what: string, status?: number): GraphError {
  return new GraphError("failed", `${what}: the service sent an unexpected response`, {
    code: "invalidAnswer",
    hint: "run the same command again; a proxy may have responded instead of the service",
    status,
  });
}

/** Whether a body is an error although its status is a success (PROTOCOL E2). */
export function isErrorBody(value: unknown): value is { error: unknown } {
  return isJsonObject(value) && "error" in value;
}

function explain({ status, headers }: HttpResponse, body: ErrorBody, what: string): GraphError {
  const known = body.codes.findLast((code) => Object.hasOwn(BY_CODE, code));
  const [kind, why, hint] = (known ? BY_CODE[known] : undefined) ?? BY_STATUS[status] ??
    (status >= 500 ? UNAVAILABLE : REJECTED);
  // Of a rejected request only the service knows which rule was broken.
  const detail = kind === "failed" && body.message ? `: ${redact(body.message.slice(0, 1_000))}` : "";
  const date = Date.parse(headers.get("date") ?? "");
  const waitMs = retryAfterMs(headers, Date.now()) ?? 0; // too long for us to wait it out
  return new GraphError(kind, `${what}: ${why}${detail}`, {
    code: body.codes.at(-1) ?? `http${status}`,
    codes: body.codes,
    hint: kind === "unavailable" && waitMs >= 1000 ? waitHint(waitMs) : hint,
    status,
    requestId: requestIdOf(headers),
    date: Number.isNaN(date) ? undefined : formatUtc(date),
    claims: parseClaimsChallenge(headers),
  });
}

interface ErrorBody {
  /** Outermost first; the innermost is the most specific. */
  codes: string[];
  message: string | undefined;
}

/** Parses an error body: JSON with `innerError` (Graph) or `innererror` (storage), nested or not. */
export function parseErrorBody(text: string): ErrorBody {
  const body: ErrorBody = { codes: [], message: undefined };
  const value = parseJsonObject(text);
  let at: unknown = isErrorBody(value) ? value.error : value;
  for (let depth = 0; isJsonObject(at) && depth < 8; depth++) {
    const code = safeIdentifier(at.code);
    if (code) body.codes.push(code);
    if (body.message === undefined && typeof at.message === "string") body.message = at.message;
    at = at.innerError ?? at.innererror;
  }
  return body;
}

/** The claims of a challenge, decoded (PROTOCOL 9.1b); `undefined` where there are none, or none that can be read. */
export function parseClaimsChallenge(headers: Headers): string | undefined {
  const encoded = /\bclaims="?([A-Za-z0-9+/=_-]+)/.exec(headers.get("www-authenticate") ?? "")?.[1];
  if (encoded === undefined) return undefined;
  try {
    // Both alphabets of base64 occur, padded or not.
    const bytes = Uint8Array.fromBase64(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    const claims = new TextDecoder().decode(bytes);
    return parseJsonObject(claims) === undefined ? undefined : claims;
  } catch {
    return undefined;
  }
}
