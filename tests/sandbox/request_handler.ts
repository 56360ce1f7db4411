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
export type Outcome = { response: ServiceResponse; truncateTo: number | undefined } | "drop";

export type Handler = (request: ServiceRequest) => Promise<ServiceResponse>;

/** What fault rules need of the sandbox around them. */
export interface FaultEffects {
  pause(ms: number): Promise<void>;
  applySideEffect(effect: SideEffect, request: ServiceRequest): void;
}

/** Lets the service answer, bent by the fault rule that strikes. Fills in the record. */
export async function exchange(
  request: ServiceRequest,
  record: RequestRecord,
  handler: Handler,
  faults: Faults,
  effects: FaultEffects,
): Promise<Outcome> {
  if (faults.repeats.isRepeat(request)) {
    record.fault = "silent repetition of a dropped request";
    return "drop";
  }
  const rule = faults.match(request);
  if (rule) record.fault = faultName(rule);
  let outcome: Outcome;
  try {
    outcome = rule
      ? await exchangeWithFault(request, handler, rule, effects)
      : { response: await handler(request), truncateTo: undefined };
    // The client may still be sending: it reads the answer only when it is through.
    if (outcome !== "drop") await request.body.drain();
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    outcome = "drop";
  }
  if (outcome === "drop" && rule) faults.repeats.dropped(request);
  record.requestBytes = request.body.received;
  record.status = outcome === "drop" ? 0 : outcome.response.status;
  return outcome;
}

async function exchangeWithFault(
  request: ServiceRequest,
  handler: Handler,
  rule: FaultRule,
  { pause, applySideEffect }: FaultEffects,
): Promise<Outcome> {
  const after = rule.when === "after";
  if (rule.sideEffect !== undefined) applySideEffect(rule.sideEffect, request);
  if (rule.delayMs && !after) await pause(rule.delayMs);
  if (!after && rule.drop) return "drop";
  if (!after && rule.status !== undefined) {
    return outcomeOf(rule, faultResponse({ ...rule, status: rule.status }, request));
  }
  if (rule.dropAfterBytes !== undefined) request.body.cutAfter(rule.dropAfterBytes, rule.keepPart);
  const seen = { ...request, headers: { ...request.headers } };
  for (const name of rule.hideHeaders ?? []) delete seen.headers[name.toLowerCase()];
  let response = await handler(seen);
  if (rule.dropAfterBytes !== undefined) return "drop";
  if (rule.delayMs && after) await pause(rule.delayMs);
  if (rule.drop) return "drop";
  if (rule.status !== undefined) response = faultResponse({ ...rule, status: rule.status }, request);
  else if (rule.headers) Object.assign(response.headers, faultHeaders(rule));
  if (rule.patch) response = patchResponse(response, rule.patch);
  if (rule.rewrite) response = await rule.rewrite(response, request);
  return outcomeOf(rule, response);
}

function outcomeOf(rule: FaultRule, response: ServiceResponse): Outcome {
  return { response, truncateTo: rule.truncateBodyTo };
}
