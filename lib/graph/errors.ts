/**
 * Turns an answer that is not a success into a {@linkcode GraphError}: every shape of error body that Graph, SharePoint
 * and what stands between them send (PROTOCOL 9), and what a person can do about it.
 *
 * @module
 */
import { invalidAnswer } from "./response_shape.ts";
import { commandName } from "../cli/hints.ts";
import { type FailureKind, GraphError } from "../errors.ts";
import { type HttpResponse, requestIdOf, retryAfterMs } from "../http/client.ts";
import { redact, safeIdentifier } from "../http/redact.ts";
import { formatDuration } from "../format.ts";

/** Codes and message of an error body. */
interface ErrorBody {
  /** Outermost first; the deepest is the most specific. */
  codes: string[];
  message: string | undefined;
  requestId: string | undefined;
}

interface Explanation {
  kind: FailureKind;
  why: string;
  hint: string;
}

/** By code, read before {@linkcode BY_STATUS}; the deepest known code of the body counts. Never by message text. */
const BY_CODE: Record<string, Explanation> = {
  serviceReadOnly: {
    kind: "unavailable",
    why: "the service has made this drive read-only for maintenance",
    hint: "this is not a matter of rights; try again later",
  },
  malwareDetected: {
    kind: "refused",
    why: "the service found malware in it",
    hint: "ask your administrator; the content is withheld",
  },
  pathIsTooLong: {
    kind: "failed",
    why: "the whole path is longer than 400 characters",
    hint: "use shorter folder or file names",
  },
  resourceLocked: {
    kind: "conflict",
    why: "the file is open in Office or checked out",
    hint: "close it or check it in, then run the same command again",
  },
};

const BY_STATUS: Record<number, Explanation> = {
  401: {
    kind: "signInNeeded",
    why: "the service does not accept the sign-in",
    hint: `sign in again with: ${commandName("whoami")}`,
  },
  403: {
    kind: "refused",
    why: "no permission",
    hint:
      "check that the app has the permission (README, Register an app) and that you may open this place in a browser",
  },
  404: {
    kind: "notFound",
    why: "it does not exist, or you may not see it",
    hint: `check it with: ${commandName("ls")}`,
  },
  409: {
    kind: "conflict",
    why: "it exists already",
    hint: "choose with --conflict replace or --conflict rename",
  },
  412: {
    kind: "conflict",
    why: "it was changed on the server meanwhile",
    hint: "look at the new version, then run the same command again",
  },
  413: { kind: "failed", why: "it is too large for one request", hint: `use ${commandName("put-large")}` },
  423: {
    kind: "conflict",
    why: "the file is locked: open in Office or checked out",
    hint: "close it or check it in, then run the same command again",
  },
  429: {
    kind: "unavailable",
    why: "the service is throttling",
    hint: "wait, then run the same command again",
  },
  507: {
    kind: "noSpace",
    why: "the drive is full",
    hint: "free space or ask your administrator for more, then run the same command again",
  },
  509: {
    kind: "unavailable",
    why: "the bandwidth limit is used up",
    hint: "wait, then run the same command again",
  },
};

/** The service's own messages have some hundred characters. */
const MAX_MESSAGE = 1_000;

const UNAVAILABLE: Explanation = {
  kind: "unavailable",
  why: "the service is unavailable",
  hint: "run the same command again later",
};
const REJECTED: Explanation = {
  kind: "failed",
  why: "the service rejected the request",
  hint: "see the code and message",
};

/**
 * Reads the rest of the answer and explains it.
 *
 * @param what What was tried, as the start of a sentence: `upload of General/x.pdf`.
 */
export async function readServiceError(answer: HttpResponse, what: string): Promise<GraphError> {
  if (answer.status < 300) {
    await answer.discard();
    return invalidAnswer(what, answer.status);
  }
  const body = parseErrorBody(await answer.errorText());
  return explain(answer, body, what);
}

/** As {@linkcode readServiceError}, of a success whose body was read already; nothing but an error in it is quoted. */
export function toServiceError(answer: HttpResponse, text: string, what: string): GraphError {
  return isErrorBody(parsed(text))
    ? explain(answer, parseErrorBody(text), what)
    : invalidAnswer(what, answer.status);
}

/** Whether a body is an error although its status is a success (PROTOCOL E2). */
export function isErrorBody(value: unknown): boolean {
  return typeof value === "object" && value !== null && "error" in value;
}

function explain({ status, headers }: HttpResponse, body: ErrorBody, what: string): GraphError {
  const known = body.codes.findLast((code) => code in BY_CODE);
  const { kind, why, hint } = (known ? BY_CODE[known] : undefined) ?? BY_STATUS[status] ??
    (status >= 500 ? UNAVAILABLE : REJECTED);
  // The service's own words say which of many rules was broken; where we have a sentence it says the same, shorter.
  const words = kind === "failed" && body.message
    ? `${why}: ${redact(body.message.slice(0, MAX_MESSAGE))}`
    : why;
  return new GraphError(kind, `${what}: ${words}`, {
    code: body.codes.at(-1) ?? `http${status}`,
    codes: body.codes,
    hint: kind === "unavailable" ? patience(headers) ?? hint : hint,
    status,
    requestId: requestIdOf(headers) ?? body.requestId,
    date: utc(headers.get("date")),
    claims: parseClaimsChallenge(headers),
  });
}

/** A wait that was too long for us is the person's. */
function patience(headers: Headers): string | undefined {
  const ms = retryAfterMs(headers, Date.now()) ?? 0;
  if (ms < 1000) return undefined;
  return `wait ${formatDuration(ms / 1000)}, as the service asks, then run the same command again`;
}

/** `innerError` in Graph's answers, `innererror` in storage's; nested any number of times; plain text and HTML occur. */
export function parseErrorBody(text: string): ErrorBody {
  const body: ErrorBody = { codes: [], message: undefined, requestId: undefined };
  const value = parsed(text);
  if (value === undefined) {
    const plain = text.trimStart().startsWith("<") ? undefined : text.trim().slice(0, 200);
    return { ...body, message: plain || undefined };
  }
  let at: unknown = isErrorBody(value) ? (value as { error: unknown }).error : value;
  for (let depth = 0; typeof at === "object" && at !== null && depth < 8; depth++) {
    const entries: Record<string, unknown> = at as Record<string, unknown>;
    const code = safeIdentifier(entries.code);
    if (code) body.codes.push(code);
    if (body.message === undefined && typeof entries.message === "string") body.message = entries.message;
    body.requestId = safeIdentifier(entries["request-id"], 64) ?? body.requestId;
    at = entries.innerError ?? entries.innererror;
  }
  return body;
}

/** `undefined` for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The claims of a challenge, decoded; several `WWW-Authenticate` headers may come, in any order. */
export function parseClaimsChallenge(headers: Headers): string | undefined {
  const encoded = /\bclaims="?([A-Za-z0-9+/=_-]+)/.exec(headers.get("www-authenticate") ?? "")?.[1];
  if (!encoded) return undefined;
  try {
    const bytes = Uint8Array.from(
      atob(encoded.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "")),
      (character) => character.charCodeAt(0),
    );
    const claims = new TextDecoder().decode(bytes);
    JSON.parse(claims);
    return claims;
  } catch {
    return undefined; // not a challenge that anybody could answer
  }
}

function utc(date: string | null): string | undefined {
  const ms = Date.parse(date ?? "");
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
