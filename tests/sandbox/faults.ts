/** Scripted faults: which requests fail, and how. */

import type { Service, ServiceRequest, ServiceResponse } from "./messages.ts";
import { SilentRepeats } from "./dropped_requests.ts";

/** A change of the sandbox's state at the moment a rule applies. */
export type SideEffect =
  /** All access tokens expire. */
  | "tokens-expire"
  /** The upload or download URL of this request is rejected with 401 from now on (PROTOCOL U6, D3). */
  | "link-expires"
  /** The same with 403 (PROTOCOL U6). */
  | "link-forbidden"
  /** Another client stores a file under the name of this upload session (PROTOCOL 7.3). */
  | "name-taken"
  /**
   * Continuous access evaluation: Graph accepts only tokens requested with the claims of a challenge, even from
   * clients that never sent `cp1` (PROTOCOL 9.1).
   */
  | "claims-required"
  /** The same, and refreshes fail with `interaction_required`: the user has to sign in again. */
  | "interaction-required"
  /** The delta tokens of all drives are too old: 410 (PROTOCOL 4.2f). */
  | "changes-forgotten";

/**
 * A rule applies to matching requests from the `nth` on, `times` times. If several rules match, the first one in
 * the list applies.
 */
export interface FaultRule {
  /** Shown in `RequestRecord.fault`. */
  name?: string;
  /** Only requests of this service. */
  service?: Service;
  /** Only requests with this method. */
  method?: string;
  /** Matched against path and query: a substring, a pattern with `*`, or a regular expression (in JSON: "/…/"). */
  path?: string | RegExp;
  /** Only the last fragment: its Content-Range ends at the total. */
  lastFragment?: true;
  /** The first matching request to apply to. @default 1 */
  nth?: number;
  /** How many requests to apply to. @default 1 */
  times?: number | "always";
  /** "after": the request takes effect; only its response is lost or replaced. @default "before" */
  when?: "before" | "after";
  /** Responds with this status and, without `body`, the service's usual body for it. */
  status?: number;
  /** Response headers; a function if they depend on the time. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** A string is sent as is, anything else as JSON; a function if it depends on the request. */
  body?: unknown | ((request: ServiceRequest) => unknown);
  /** Happens before the request takes effect. */
  sideEffect?: SideEffect;
  /** Closes the connection without a response, and again for the repetition of fetch (see dropped_requests.ts). */
  drop?: true;
  /** Closes the connection after this many bytes of the request body; none of them are kept, as on SharePoint (B). */
  dropAfterBytes?: number;
  /** With `dropAfterBytes`: keeps the received bytes, as a personal OneDrive (P) does (PROTOCOL 7.3). */
  keepPart?: true;
  /** Sends only this many bytes of the response body, then closes the connection. */
  truncateBodyTo?: number;
  /** Waits before the request takes effect or, with `when: "after"`, before the response is sent. */
  delayMs?: number;
  /** Request headers hidden from the service, such as "range". */
  hideHeaders?: string[];
  /** JSON merge patch (RFC 7396) for the response. */
  patch?: Record<string, unknown>;
  /** Changes the response; only for tests, since JSON has no functions. */
  rewrite?: (
    response: ServiceResponse,
    request: ServiceRequest,
  ) => ServiceResponse | Promise<ServiceResponse>;
}

export class Faults {
  readonly rules: FaultRule[];
  readonly repeats = new SilentRepeats();
  readonly #counts = new WeakMap<FaultRule, number>();
  readonly #strikes = new WeakMap<FaultRule, number>();

  constructor(rules: readonly FaultRule[]) {
    this.rules = [...rules];
  }

  /** The first rule that applies to this request; counts the request for every rule it matches. */
  match(request: ServiceRequest): FaultRule | undefined {
    let applied: FaultRule | undefined;
    for (const rule of this.rules) {
      if (!matches(rule, request)) continue;
      const count = (this.#counts.get(rule) ?? 0) + 1;
      this.#counts.set(rule, count);
      if (applied === undefined && count >= (rule.nth ?? 1) && count <= lastMatch(rule)) applied = rule;
    }
    if (applied !== undefined) this.#strikes.set(applied, this.strikes(applied) + 1);
    return applied;
  }

  /** How many requests this rule has been applied to. */
  strikes(rule: FaultRule): number {
    return this.#strikes.get(rule) ?? 0;
  }
}

function lastMatch(rule: FaultRule): number {
  return rule.times === "always" ? Infinity : (rule.nth ?? 1) + (rule.times ?? 1) - 1;
}

function matches(rule: FaultRule, request: ServiceRequest): boolean {
  if (rule.service !== undefined && rule.service !== request.service) return false;
  if (rule.method !== undefined && rule.method.toUpperCase() !== request.method) return false;
  if (rule.lastFragment && !isLastFragment(request)) return false;
  if (rule.path === undefined) return true;
  return typeof rule.path === "string"
    ? pathMatches(rule.path, request.target)
    : rule.path.test(request.target);
}

function isLastFragment({ method, headers }: ServiceRequest): boolean {
  const [, end, total] = /^bytes \d+-(\d+)\/(\d+)$/.exec(headers["content-range"] ?? "") ?? [];
  return method === "PUT" && end !== undefined && Number(end) + 1 === Number(total);
}

function pathMatches(pattern: string, target: string): boolean {
  if (!pattern.includes("*")) return target.includes(pattern);
  const source = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${source}$`).test(target);
}

export function faultName(rule: FaultRule): string {
  if (rule.name !== undefined) return rule.name;
  const what = rule.status ?? (rule.drop || rule.dropAfterBytes !== undefined ? "drop" : "altered");
  return rule.when === "after" ? `${what} after` : String(what);
}
