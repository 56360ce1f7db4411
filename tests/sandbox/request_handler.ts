/** Handles one request, and applies the fault rule that matches it. */

import { faultHeaders, faultResponse, patchResponse } from "./fault_responses.ts";
import { faultName, type FaultRule, type Faults, type SideEffect } from "./faults.ts";
import { ConnectionLost, type ServiceRequest, type ServiceResponse } from "./messages.ts";

/** A request as tests see it. */
export interface RequestRecord {
  /** The number of the request, from 1. */
  n: number;
  /** ISO time of arrival. */
  at: string;
  /** Who received it. */
  service: ServiceRequest["service"];
  /** The number of its connection, from 1 for each service. */
  connection: number;
  /** Such as "GET". */
  method: string;
  /** The raw path and query. */
  path: string;
  /** Lower-case names; a repeated header is joined with ", ". */
  headers: Record<string, string>;
  /** Status of the response; 0 when the connection was closed without one. */
  status: number;
  /** Received bytes of the body. */
  requestBytes: number;
  /** Milliseconds until the response was ready. */
  ms: number;
  /** The fault rule that was applied. */
  fault?: string;
}

/** What is sent: a response, perhaps truncated, or nothing but a closed connection. */
export type Outcome = { response: ServiceResponse; truncateTo: number | undefined } | "drop";

export type Handler = (request: ServiceRequest) => Promise<ServiceResponse>;

/** What fault rules need from the sandbox. */
export interface FaultEffects {
  pause(ms: number): Promise<void>;
  applySideEffect(effect: SideEffect, request: ServiceRequest): void;
}

/** Lets the service respond, applies a fault rule, and completes the record. */
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
    // The client may read the response only after it has sent the whole body.
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
