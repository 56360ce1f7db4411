/** Scripted faults: which requests go wrong, and how. */

import type { Service, ServiceRequest, ServiceResponse } from "./messages.ts";
import { SilentRepeats } from "./dropped_requests.ts";

/** What somebody else, or the service behind the client's back, does at the moment a rule strikes. */
export type SideEffect =
  /** All access tokens expire. */
  | "tokens-expire"
  /** The upload or download URL of this request is dead from now on, whatever its session says: 401 (PROTOCOL U6, D3). */
  | "link-expires"
  /** As before, with 403 (PROTOCOL U6). */
  | "link-forbidden"
  /** Another writer stores a file under the name that this upload session is for (PROTOCOL 7.3). */
  | "name-taken"
  /**
   * Continuous access evaluation: only tokens got with the claims of a challenge are good, also for clients that never
   * said `cp1` (PROTOCOL 9.1).
   */
  | "claims-required"
  /** The same, and only a person can answer it: renewals are `interaction_required`. */
  | "interaction-required";

/**
 * One rule. It counts the requests that match it and strikes from the `nth` on, `times` times. Of several rules that
 * would strike the first in the list does.
 */
export interface FaultRule {
  /** Shown in `RequestRecord.fault`. */
  name?: string;
  service?: Service;
  method?: string;
  /** Against path and query: a substring, a pattern with `*`, or a regular expression (in JSON: "/…/"). */
  path?: string | RegExp;
  /** Only the fragment that completes an upload: the one whose Content-Range ends at the total. */
  lastFragment?: true;
  /** First matching request to strike. @default 1 */
  nth?: number;
  /** How many requests to strike. @default 1 */
  times?: number | "always";
  /** "after": the request takes full effect and only its answer is lost or replaced. @default "before" */
  when?: "before" | "after";
  /** Answers with this status; without `body`, with the body the service gives under it. */
  status?: number;
  /** Of the answer; as a function for what depends on the moment. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** Text as it stands, or anything else as JSON; as a function for what depends on the request. */
  body?: unknown | ((request: ServiceRequest) => unknown);
  /** What else happens at that moment, before the request takes effect. */
  sideEffect?: SideEffect;
  /** Cuts the connection. What fetch repeats by itself after that is cut too: see silent_repeats.ts. */
  drop?: true;
  /** Cuts the connection after so many bytes of the request body; nothing of them is kept, as on B. */
  dropAfterBytes?: number;
  /** With `dropAfterBytes`: what has arrived of the fragment is kept, as it happens on P (PROTOCOL 7.3). */
  keepPart?: true;
  /** Sends so many bytes of the answer's body, fewer than its Content-Length, then cuts the connection. */
  truncateBodyTo?: number;
  /** Waits before the request takes effect, or, with `when: "after"`, before its answer goes out. */
  delayMs?: number;
  /** Request headers the service does not get to see, such as "range". */
  hideHeaders?: string[];
  /** JSON merge patch (RFC 7396) for the answer that would have been given. */
  patch?: Record<string, unknown>;
  /** Changes the answer that would have been given; for tests only, JSON has no functions. */
  rewrite?: (
    response: ServiceResponse,
    request: ServiceRequest,
  ) => ServiceResponse | Promise<ServiceResponse>;
}

/** The rules of a sandbox and how often each has matched. */
export class Faults {
  readonly rules: FaultRule[];
  readonly repeats = new SilentRepeats();
  readonly #hits = new WeakMap<FaultRule, number>();

  constructor(rules: readonly FaultRule[]) {
    this.rules = [...rules];
  }

  /** The rule that strikes this request, or undefined. Counts it for every rule it matches. */
  match(request: ServiceRequest): FaultRule | undefined {
    let striking: FaultRule | undefined;
    for (const rule of this.rules) {
      if (!matches(rule, request)) continue;
      const hit = (this.#hits.get(rule) ?? 0) + 1;
      this.#hits.set(rule, hit);
      if (striking === undefined && hit >= (rule.nth ?? 1) && hit <= lastHit(rule)) striking = rule;
    }
    return striking;
  }
}

function lastHit(rule: FaultRule): number {
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

/** A short name of a rule, for records and logs. */
export function faultName(rule: FaultRule): string {
  if (rule.name !== undefined) return rule.name;
  const what = rule.status ?? (rule.drop || rule.dropAfterBytes !== undefined ? "drop" : "altered");
  return rule.when === "after" ? `${what} after` : String(what);
}
