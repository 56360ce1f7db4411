/** Continuous access evaluation: the `claims` parameter and challenges (PROTOCOL 9.1). */

import { Buffer } from "node:buffer";
import { EntraError } from "./entra_error.ts";

/** The parsed `claims` parameter. */
export interface Claims {
  /** The client can handle challenges: `xms_cc` holds `cp1`. */
  readonly capable: boolean;
  /** The `nbf` of the challenge that it satisfies; 0 without one. */
  readonly challengeTime: number;
}

/** @throws {EntraError} 9002313 when it is not a JSON object */
export function parseClaims(text: string | null): Claims {
  if (text === null || text === "") return { capable: false, challengeTime: 0 };
  const token = objectIn(parsed(text), "access_token");
  const capabilities = objectIn(token, "xms_cc")["values"];
  const notBefore = Number(objectIn(token, "nbf")["value"] ?? 0);
  return {
    capable: Array.isArray(capabilities) && capabilities.includes("cp1"),
    challengeTime: Number.isFinite(notBefore) ? notBefore : 0,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed();
  }
}

/** The object under a name, or `{}`: every part of `claims` is optional. */
function objectIn(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
  const inner = (value as Record<string, unknown>)[name] ?? {};
  if (typeof inner !== "object" || Array.isArray(inner)) throw malformed();
  return inner as Record<string, unknown>;
}

function malformed(): EntraError {
  return new EntraError("invalid_request", 9002313, "Invalid request. Request is malformed or invalid.");
}

/** The result of refreshing a challenged token. */
export type ChallengedRefresh = "tokens" | "interaction_required";

/** The last challenge a token satisfies, and whether its client sent `cp1`. */
export interface Challengeable {
  readonly challengeTime: number;
  readonly challengeable: boolean;
}

/** The challenge that tokens must satisfy, and the result of refreshes until then. */
interface Requirement {
  readonly notBefore: number;
  readonly refresh: ChallengedRefresh;
}

const NO_REQUIREMENT: Requirement = { notBefore: 0, refresh: "tokens" };

/** The current challenges. */
export class Challenges {
  /** For clients that sent `cp1`. */
  #capable = NO_REQUIREMENT;
  /** For all other clients. */
  #others = NO_REQUIREMENT;

  /**
   * Challenges all tokens issued so far to clients that sent `cp1`; with "all" the others too. The service
   * says it never does that, but clients have to cope (PROTOCOL 9.1).
   */
  issue(refresh: ChallengedRefresh, clients: "capable" | "all" = "capable"): void {
    const notBefore = Math.max(this.#capable.notBefore + 1, Math.floor(Date.now() / 1000));
    this.#capable = { notBefore, refresh };
    if (clients === "all") this.#others = this.#capable;
  }

  rejects(token: Challengeable): boolean {
    return token.challengeTime < this.#requirementFor(token).notBefore;
  }

  /** The base64 `claims` for `WWW-Authenticate`: those of the last challenge satisfy all. */
  get header(): string {
    const nbf = { essential: true, value: String(this.#capable.notBefore) };
    return Buffer.from(JSON.stringify({ access_token: { nbf } })).toString("base64");
  }

  /** @throws {EntraError} `interaction_required` until the user signs in again */
  checkRefresh(token: Challengeable): void {
    if (!this.rejects(token) || this.#requirementFor(token).refresh === "tokens") return;
    const message =
      "Due to a configuration change made by your administrator, or because you moved to a new " +
      "location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.";
    throw new EntraError("interaction_required", 50076, message, { suberror: "basic_action" });
  }

  #requirementFor({ challengeable }: Challengeable): Requirement {
    return challengeable ? this.#capable : this.#others;
  }
}
