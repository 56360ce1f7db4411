/** The outcome when a user approves a sign-in. */

import { type Directory, isPersonal, type User } from "../tenant/directory.ts";
import { accountAt, type Authority } from "./authorities.ts";
import { EntraError } from "./entra_error.ts";
import { type ScopeRequest, toPersonalScopes } from "./scopes.ts";

/** The state of a device code. */
export type Decision = { kind: "open" } | Outcome | { kind: "declined" };

/** Approved as this account, or refused with an error that the app receives. */
export type Outcome = { kind: "approved"; user: User } | { kind: "refused"; error: EntraError };

/** A policy that blocks sign-ins with this AADSTS number (PROTOCOL A3). */
export interface Stop {
  readonly number: number;
  /**
   * For device codes: where the error is shown. In the browser, while the app keeps polling, or in the response to
   * a poll.
   */
  readonly seenBy: "browser" | "app";
}

/** A sign-in that waits for the user. */
export interface Waiting {
  readonly authority: Authority;
  readonly request: ScopeRequest;
}

/** @throws {EntraError} an error for the browser, of which the app is not informed */
export function approve(
  directory: Directory,
  waiting: Waiting,
  chosen: User,
  stop: Stop | undefined,
): Outcome {
  const user = accountAt(directory, waiting.authority, chosen);
  if (stop !== undefined) {
    const error = stopError(stop.number);
    if (stop.seenBy === "browser") throw error;
    return { kind: "refused", error };
  }
  try {
    if (isPersonal(user)) toPersonalScopes(waiting.request);
  } catch (error) {
    if (error instanceof EntraError) return { kind: "refused", error };
    throw error;
  }
  return { kind: "approved", user };
}

/** AADSTS65004 */
export function declined(error = "authorization_declined"): EntraError {
  return new EntraError(error, 65004, "User declined to consent to access the app.");
}

/** Errors of PROTOCOL 13.4 that block a sign-in in the browser: OAuth error and text. */
const STOPS: Record<number, [string, string]> = {
  50053: ["access_denied", "The account is locked, you've tried to sign in too many times."],
  50057: ["invalid_grant", "The user account is disabled."],
  50076: ["interaction_required", "You must use multi-factor authentication to access the resource."],
  50105: [
    "access_denied",
    "The signed in user is blocked because they are not a direct member of a group " +
    "with access, nor had access directly assigned by an administrator.",
  ],
  53000: ["access_denied", "Device is not in required device state: compliant."],
  53001: ["access_denied", "Device is not in required device state: domain_joined."],
  53003: [
    "access_denied",
    "Access has been blocked by Conditional Access policies. The access policy does " +
    "not allow token issuance.",
  ],
  65004: ["access_denied", "User declined to consent to access the app."],
  90094: [
    "access_denied",
    "An administrator of the organization has set a policy that prevents you from " +
    "granting the application the permissions it is requesting. Contact an administrator.",
  ],
  500021: ["access_denied", "Access to the tenant is denied."],
  530032: ["access_denied", "Blocked by security policy set on the tenant."],
};

/** The error for a policy. @throws when the number is not in the table */
export function stopError(number: number): EntraError {
  const known = STOPS[number];
  if (known === undefined) {
    throw new Error(`the sandbox knows AADSTS${Object.keys(STOPS).join(", AADSTS")}, not ${number}`);
  }
  return new EntraError(known[0], number, known[1]);
}
