/** Continuous access evaluation: the `claims` parameter, and challenges that ask for it (graph-protocol 9.1). */

import { Buffer } from "node:buffer";
import { EntraError } from "./entra_error.ts";

/** What a client says in `claims`. */
export interface Claims {
  /** The client can handle challenges: `xms_cc` holds `cp1`. */
  readonly capable: boolean;
  /** The `nbf` of the challenge it answers; 0 without one. */
  readonly answers: number;
}

/** Reads the parameter. @throws {EntraError} 9002313 when it is no JSON object */
export function parseClaims(text: string | null): Claims {
  if (text === null || text === "") return { capable: false, answers: 0 };
  const token = objectIn(parsed(text), "access_token");
  const capabilities = objectIn(token, "xms_cc")["values"];
  const notBefore = Number(objectIn(token, "nbf")["value"] ?? 0);
  return {
    capable: Array.isArray(capabilities) && capabilities.includes("cp1"),
    answers: Number.isFinite(notBefore) ? notBefore : 0,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed();
  }
}

/** The object under a name; `{}` where there is none, since every part of `claims` is optional. */
function objectIn(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
  const inner = (value as Record<string, unknown>)[name] ?? {};
  if (typeof inner !== "object" || Array.isArray(inner)) throw malformed();
  return inner as Record<string, unknown>;
}

function malformed(): EntraError {
  return new EntraError("invalid_request", 9002313, "Invalid request. Request is malformed or invalid.");
}

/** What the renewal of a challenged sign-in comes to. */
export type ChallengedRefresh = "tokens" | "interaction_required";

/** The challenge in force, if any. Tokens of clients that never said `cp1` are not concerned. */
export class Challenges {
  /** The `nbf` a token must have been asked for with; 0 before the first challenge. */
  #required = 0;
  #refresh: ChallengedRefresh = "tokens";

  /** Challenges everything issued until now. */
  issue(refresh: ChallengedRefresh): void {
    this.#required = Math.max(this.#required + 1, Math.floor(Date.now() / 1000));
    this.#refresh = refresh;
  }

  /** Whether a token that answered this much is refused. */
  concerns(answered: number | undefined): boolean {
    return answered !== undefined && answered < this.#required;
  }

  /** The `claims` of the `WWW-Authenticate` header, base64. */
  get header(): string {
    const nbf = { essential: true, value: String(this.#required) };
    return Buffer.from(JSON.stringify({ access_token: { nbf } })).toString("base64");
  }

  /** @throws {EntraError} `interaction_required` while the person has to come back */
  checkRefresh(answered: number | undefined): void {
    if (this.#refresh === "tokens" || !this.concerns(answered)) return;
    const message =
      "Due to a configuration change made by your administrator, or because you moved to a new " +
      "location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.";
    throw new EntraError("interaction_required", 50076, message, { suberror: "basic_action" });
  }
}
