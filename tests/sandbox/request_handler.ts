/** One request from its arrival to its answer, with the fault that strikes it, if any. */

import { faultHeaders, faultResponse, patchResponse } from "./fault_responses.ts";
import { faultName, type FaultRule, type Faults, type SideEffect } from "./faults.ts";
import { ConnectionLost, type ServiceRequest, type ServiceResponse } from "./messages.ts";

/** What tests see of a request. */
export interface RequestRecord {
  /** From 1, in order of arrival. */
  n: number;
  /** ISO time of arrival. */
  at: string;
  service: ServiceRequest["service"];
  /** Number of the connection it came over, from 1 for each service. */
  connection: number;
  method: string;
  /** Path and query as they came over the wire. */
  path: string;
  headers: Record<string, string>;
  /** Of the answer; 0 when the connection was cut without one. */
  status: number;
  /** Bytes of the body that arrived. */
  requestBytes: number;
  /** Milliseconds until the answer was ready. */
  ms: number;
  /** The fault rule that struck. */
  fault?: string;
}

/** What goes back over the wire: an answer, perhaps cut short, or nothing but a broken connection. */
export type Outcome = { answer: ServiceResponse; truncateTo: number | undefined } | "drop";

export type Handler = (call: ServiceRequest) => Promise<ServiceResponse>;

/** What fault rules need of the sandbox around them. */
export interface Surroundings {
  pause(ms: number): Promise<void>;
  applySideEffect(effect: SideEffect, call: ServiceRequest): void;
}

/** Lets the service answer, bent by the fault rule that strikes. Fills in the record. */
export async function exchange(
  call: ServiceRequest,
  record: RequestRecord,
  handler: Handler,
  faults: Faults,
  surroundings: Surroundings,
): Promise<Outcome> {
  if (faults.repeats.isRepeat(call)) {
    record.fault = "silent repetition of a dropped request";
    return "drop";
  }
  const rule = faults.strike(call);
  if (rule) record.fault = faultName(rule);
  let outcome: Outcome;
  try {
    outcome = rule
      ? await struck(call, handler, rule, surroundings)
      : { answer: await handler(call), truncateTo: undefined };
    // The client may still be sending: it reads the answer only when it is through.
    if (outcome !== "drop") await call.body.drain();
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    outcome = "drop";
  }
  if (outcome === "drop" && rule) faults.repeats.dropped(call);
  record.requestBytes = call.body.received;
  record.status = outcome === "drop" ? 0 : outcome.answer.status;
  return outcome;
}

async function struck(
  call: ServiceRequest,
  handler: Handler,
  rule: FaultRule,
  { pause, applySideEffect }: Surroundings,
): Promise<Outcome> {
  const after = rule.when === "after";
  if (rule.sideEffect !== undefined) applySideEffect(rule.sideEffect, call);
  if (rule.delayMs && !after) await pause(rule.delayMs);
  if (!after && rule.drop) return "drop";
  if (!after && rule.status !== undefined) {
    return answered(rule, faultResponse({ ...rule, status: rule.status }, call));
  }
  if (rule.dropAfterBytes !== undefined) call.body.cutAfter(rule.dropAfterBytes, rule.keepPart);
  const seen = { ...call, headers: { ...call.headers } };
  for (const name of rule.hideHeaders ?? []) delete seen.headers[name.toLowerCase()];
  let answer = await handler(seen);
  if (rule.dropAfterBytes !== undefined) return "drop";
  if (rule.delayMs && after) await pause(rule.delayMs);
  if (rule.drop) return "drop";
  if (rule.status !== undefined) answer = faultResponse({ ...rule, status: rule.status }, call);
  else if (rule.headers) Object.assign(answer.headers, faultHeaders(rule));
  if (rule.patch) answer = patchResponse(answer, rule.patch);
  if (rule.rewrite) answer = await rule.rewrite(answer, call);
  return answered(rule, answer);
}

function answered(rule: FaultRule, answer: ServiceResponse): Outcome {
  return { answer, truncateTo: rule.truncateBodyTo };
}
