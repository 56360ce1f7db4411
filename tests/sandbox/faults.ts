/** Scripted faults: which requests go wrong, and how. */

import type { Answer, Call, Service } from "./message.ts";
import { SilentRepeats } from "./silent_repeats.ts";

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
  /** First matching request to strike. @default 1 */
  nth?: number;
  /** How many requests to strike. @default 1 */
  times?: number | "always";
  /** "after": the request takes full effect and only its answer is lost or replaced. @default "before" */
  when?: "before" | "after";
  /** Answers with this status; without `body`, with the body the service gives under it. */
  status?: number;
  headers?: Record<string, string>;
  /** Text as it stands, or anything else as JSON. */
  body?: unknown;
  /** Cuts the connection. What fetch repeats by itself after that is cut too: see silent_repeats.ts. */
  drop?: true;
  /** Cuts the connection after so many bytes of the request body; nothing of them is kept. */
  dropAfterBytes?: number;
  /** Sends so many bytes of the answer's body, fewer than its Content-Length, then cuts the connection. */
  truncateBodyTo?: number;
  /** Waits before the request takes effect, or, with `when: "after"`, before its answer goes out. */
  delayMs?: number;
  /** Request headers the service does not get to see, such as "range". */
  hideHeaders?: string[];
  /** JSON merge patch (RFC 7396) for the answer that would have been given. */
  patch?: Record<string, unknown>;
  /** Changes the answer that would have been given; for tests only, JSON has no functions. */
  rewrite?: (answer: Answer, call: Call) => Answer | Promise<Answer>;
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
  strike(call: Call): FaultRule | undefined {
    let striking: FaultRule | undefined;
    for (const rule of this.rules) {
      if (!matches(rule, call)) continue;
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

function matches(rule: FaultRule, call: Call): boolean {
  if (rule.service !== undefined && rule.service !== call.service) return false;
  if (rule.method !== undefined && rule.method.toUpperCase() !== call.method) return false;
  if (rule.path === undefined) return true;
  return typeof rule.path === "string" ? pathMatches(rule.path, call.target) : rule.path.test(call.target);
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
