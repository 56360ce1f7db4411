/** Continuous access evaluation: the `claims` parameter, and challenges that ask for it (PROTOCOL 9.1). */

import { Buffer } from "node:buffer";
import { EntraError } from "./entra_error.ts";

/** What a client says in `claims`. */
export interface Claims {
  /** The client can handle challenges: `xms_cc` holds `cp1`. */
  readonly capable: boolean;
  /** The `nbf` of the challenge it answers; 0 without one. */
  readonly challengeTime: number;
}

/** Reads the parameter. @throws {EntraError} 9002313 when it is no JSON object */
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

/** What challenges go by, of a token: the last one it was asked for with, and whether its client ever said `cp1`. */
export interface Challengeable {
  readonly challengeTime: number;
  readonly challengeable: boolean;
}

/** What a token must have been asked for with, and what renewals come to until then. */
interface Requirement {
  readonly notBefore: number;
  readonly refresh: ChallengedRefresh;
}

const NO_REQUIREMENT: Requirement = { notBefore: 0, refresh: "tokens" };

/** The challenges in force, if any. */
export class Challenges {
  /** Of clients that said `cp1`. */
  #capable = NO_REQUIREMENT;
  /** Of all others. */
  #others = NO_REQUIREMENT;

  /**
   * Challenges everything issued until now to clients that said `cp1`; with "everybody" to the others too, which the
   * service says it never does, but clients have to stand it all the same (PROTOCOL 9.1).
   */
  issue(refresh: ChallengedRefresh, clients: "capable" | "everybody" = "capable"): void {
    const notBefore = Math.max(this.#capable.notBefore + 1, Math.floor(Date.now() / 1000));
    this.#capable = { notBefore, refresh };
    if (clients === "everybody") this.#others = this.#capable;
  }

  /** Whether a token is refused. */
  rejects(token: Challengeable): boolean {
    return token.challengeTime < this.#demandOn(token).notBefore;
  }

  /** The `claims` of the `WWW-Authenticate` header, base64: those of the last challenge, which answer all. */
  get header(): string {
    const nbf = { essential: true, value: String(this.#capable.notBefore) };
    return Buffer.from(JSON.stringify({ access_token: { nbf } })).toString("base64");
  }

  /** @throws {EntraError} `interaction_required` while the person has to come back */
  checkRefresh(token: Challengeable): void {
    if (!this.rejects(token) || this.#demandOn(token).refresh === "tokens") return;
    const message =
      "Due to a configuration change made by your administrator, or because you moved to a new " +
      "location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.";
    throw new EntraError("interaction_required", 50076, message, { suberror: "basic_action" });
  }

  #demandOn({ challengeable }: Challengeable): Requirement {
    return challengeable ? this.#capable : this.#others;
  }
}
