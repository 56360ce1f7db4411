/**
 * The error class of this toolkit: what failed, why, and what to do next.
 *
 * @module
 */

/** The kinds of failures, and the exit code of each, the same in all scripts. */
export const EXIT_CODES = {
  failed: 1,
  usage: 2,
  notFound: 3,
  signInNeeded: 4,
  refused: 5,
  conflict: 6,
  damaged: 7,
  unavailable: 8,
  noSpace: 9,
  interrupted: 130,
} as const;

/** The kind of a failure: a key of {@linkcode EXIT_CODES}. */
export type FailureKind = keyof typeof EXIT_CODES;

/** What an error carries besides its message. */
export interface ErrorDetails {
  /** Most specific code: the service's (`nameAlreadyExists`, `AADSTS65001`) or ours (`illegalName`). */
  code: string;
  /** What to do next, as one sentence or command. */
  hint?: string | undefined;
  /** What the error is about: an account, a host, a site, a local path. */
  subject?: string | undefined;
  /** HTTP status of the response, if there was one. */
  status?: number | undefined;
  /** The service's `request-id` (or correlation id of a sign-in), which Microsoft's support asks for. */
  requestId?: string | undefined;
  /** UTC time of the response, from its `Date` header. */
  date?: string | undefined;
  /** All codes of the error body, outermost first. @default `[code]` */
  codes?: readonly string[] | undefined;
  /** Claims that the service demands in a new token (continuous access evaluation). */
  claims?: string | undefined;
  /** The error that led to it. */
  cause?: unknown;
}

/** An expected failure. */
export class GraphError extends Error {
  /** Also for errors of another copy of this module. */
  override readonly name = "GraphError";
  /** Decides the exit code. */
  readonly kind: FailureKind;
  /** As in {@linkcode ErrorDetails}. */
  readonly code: string;
  /** As in {@linkcode ErrorDetails}. */
  readonly hint: string | undefined;
  /** As in {@linkcode ErrorDetails}. */
  readonly subject: string | undefined;
  /** As in {@linkcode ErrorDetails}. */
  readonly status: number | undefined;
  /** As in {@linkcode ErrorDetails}. */
  readonly requestId: string | undefined;
  /** As in {@linkcode ErrorDetails}. */
  readonly date: string | undefined;
  /** As in {@linkcode ErrorDetails}. */
  readonly codes: readonly string[];
  /** As in {@linkcode ErrorDetails}. */
  readonly claims: string | undefined;

  /** Makes an error of a kind. */
  constructor(kind: FailureKind, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = details.code;
    this.hint = details.hint;
    this.subject = details.subject;
    this.status = details.status;
    this.requestId = details.requestId;
    this.date = details.date;
    this.codes = details.codes ?? [details.code];
    this.claims = details.claims;
  }

  /** Exit code of a script that ends with this error. */
  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }

  /** The same failure with another message, and all details of the service kept. */
  withMessage(
    message: string,
    changes: Partial<ErrorDetails> & { kind?: FailureKind } = {},
  ): GraphError {
    const { kind, ...details } = { ...this, ...changes };
    return new GraphError(kind, message, { ...details, cause: this });
  }

  /** Whether the error body has this code at any depth. */
  has(code: string): boolean {
    return this.codes.includes(code);
  }
}

/** Whether a value is a {@linkcode GraphError}, also one from another copy of this module. */
export function isGraphError(value: unknown): value is GraphError {
  return value instanceof Error && value.name === "GraphError" && "kind" in value && "exitCode" in value;
}

/** The result of an operation; `undefined` if the service does not find what it is about. */
export async function ifFound<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isGraphError(error) && error.kind === "notFound") return undefined;
    throw error;
  }
}

/** Wrong usage: exit code 2. */
export function usageError(message: string, hint?: string, code = "usage"): GraphError {
  return new GraphError("usage", message, { code, hint });
}
