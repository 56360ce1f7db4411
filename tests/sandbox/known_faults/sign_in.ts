/** Faults of device code sign-in (PROTOCOL 13). */

import type { FaultRule } from "../faults.ts";
import type { KnownFault } from "./known_fault.ts";

const scripts = ["whoami"] as const;
const START: FaultRule = { service: "login", method: "POST", path: "/oauth2/v2.0/devicecode" };
const POLL: FaultRule = { service: "login", method: "POST", path: "/oauth2/v2.0/token" };
const PAGE = "<!DOCTYPE html><html><head><title>Welcome to the guest network</title></head></html>";

function entra(error: string, number: number, text: string): Pick<FaultRule, "status" | "body"> {
  const body = { error, error_description: `AADSTS${number}: ${text}`, error_codes: [number] };
  return { status: error === "invalid_client" ? 401 : 400, body };
}

const PENDING: Pick<FaultRule, "status" | "body"> = entra(
  "authorization_pending",
  70016,
  "Authorization is pending. Continue polling.",
);

export const SIGN_IN = {
  "authorization-pending": {
    what: "the first two polls get authorization_pending",
    item: 13,
    traps: ["A7"],
    scripts,
    rules: (): FaultRule[] => [{ ...POLL, ...PENDING, times: 2 }],
  },
  "slow-down": {
    what: "the first poll gets slow_down, which adds five seconds to the interval",
    item: 13,
    traps: ["13.2"],
    scripts,
    rules: (): FaultRule[] => [{ ...POLL, ...entra("slow_down", 70016, "The client polls too fast.") }],
  },
  "device-code-expired": {
    what: "the first poll gets expired_token",
    item: 13,
    traps: ["A4"],
    scripts,
    rules: (): FaultRule[] => [{ ...POLL, ...entra("expired_token", 70020, "The code has expired.") }],
  },
  "device-code-never-approved": {
    what: "the code is never approved and expires after two seconds",
    item: 13,
    traps: ["A3"],
    scripts,
    rules: () => [{ ...START, patch: { expires_in: 2 } }, { ...POLL, ...PENDING, times: "always" }],
  },
  "device-code-declined": {
    what: "the user declines",
    item: 13,
    traps: ["13.2"],
    scripts,
    rules: (): FaultRule[] => [{
      ...POLL,
      ...entra("authorization_declined", 65004, "User declined to consent."),
    }],
  },
  "public-client-off": {
    what: "the app registration does not allow public client flows; the error comes after the sign-in",
    item: 13,
    traps: ["A1"],
    scripts,
    options: { publicClientFlows: false },
  },
  "device-code-blocked": {
    what: "a Conditional Access policy blocks device codes: AADSTS53003 at the poll",
    item: 13,
    traps: ["A3"],
    scripts,
    rules: (): FaultRule[] => [{
      ...POLL,
      ...entra("invalid_grant", 53003, "Access has been blocked by Conditional Access policies."),
    }],
  },
  "sign-in-5xx": {
    what: "500 for the start of a sign-in, 503 and 504 for the first polls",
    item: 13,
    traps: ["13.2"],
    scripts,
    rules: () => [
      { ...START, status: 500 },
      { ...POLL, status: 503 },
      { ...POLL, nth: 2, status: 504, body: PAGE },
    ],
  },
  "sign-in-html": {
    what: "an HTML page instead of a device code",
    item: 13,
    traps: ["A8"],
    scripts,
    rules: () => [{ ...START, times: "always", status: 200, body: PAGE }],
  },
  "sign-in-html-at-poll": {
    what: "an HTML page instead of tokens",
    item: 13,
    traps: ["A8"],
    scripts,
    rules: () => [{ ...POLL, times: "always", status: 200, body: PAGE }],
  },
  "sign-in-error-under-200": {
    what: "status 200 with an error instead of a device code",
    item: 13,
    traps: ["A2"],
    scripts,
    rules: (): FaultRule[] => [{
      ...START,
      times: "always",
      ...entra("invalid_client", 7000218, "The request body must contain client_assertion or client_secret."),
      status: 200,
    }],
  },
} satisfies Record<string, KnownFault>;
