/** `/$batch`: up to 20 requests in one (PROTOCOL 4.5). */

import { Buffer } from "node:buffer";
import { jsonResponse, RequestBody, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import { ServiceError } from "../service_error.ts";
import { readJson } from "./request.ts";

const MAX_REQUESTS = 20;

/** An entry of `requests`. */
interface Step {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly dependsOn?: readonly string[];
}

/** Lets `handle` serve one request after the other; those whose dependency failed are not served. */
export async function serveBatch(
  request: ServiceRequest,
  handle: (request: ServiceRequest) => Promise<ServiceResponse>,
): Promise<ServiceResponse> {
  const steps = readSteps(await readJson(request, "refused"));
  const statuses = new Map<string, number>();
  const responses: unknown[] = [];
  for (const step of steps) {
    const failed = (step.dependsOn ?? []).some((id) => statuses.get(id.toLowerCase())! >= 400);
    const [, version] = /^\/?(v1\.0|beta)\//.exec(step.url) ?? [];
    const response = failed
      ? errorResponse(424, "FailedDependency", "The request depends on one that failed.") // the code is not known
      : version !== undefined
      ? errorResponse(400, "BadRequest", `Resource not found for the segment '${version}'.`)
      : await handle(stepRequest(request, step));
    statuses.set(step.id.toLowerCase(), response.status);
    responses.push({ id: step.id, status: response.status, ...contentOf(response) });
  }
  return jsonResponse(200, { responses });
}

function readSteps({ requests }: Record<string, unknown>): Step[] {
  if (!Array.isArray(requests) || requests.length === 0) {
    throw badRequest("Invalid batch payload format.");
  }
  if (requests.length > MAX_REQUESTS) throw badRequest("Number of requests inside batch exceed the limit.");
  const seen = new Set<string>();
  for (const step of requests as Step[]) {
    const isStep = [step?.id, step?.method, step?.url].every((text) =>
      typeof text === "string" && text !== ""
    );
    const dependencies: unknown = step?.dependsOn ?? [];
    const areIds = Array.isArray(dependencies) && dependencies.every((id) => typeof id === "string");
    if (!isStep || !areIds || /^https?:/.test(step.url)) throw badRequest("Invalid batch payload format.");
    if (seen.has(step.id.toLowerCase())) {
      throw badRequest(`Request Id ${step.id} has to be unique in a batch.`);
    }
    const unknown = step.dependsOn?.some((id) => !seen.has(id.toLowerCase()));
    if (unknown) throw badRequest(`Invalid dependency for request Id ${step.id}.`);
    if (step.body !== undefined && headerOf(step, "content-type") === undefined) {
      const message = "Write request id : " + step.id + " does not contain Content-Type header or body.";
      throw badRequest(message);
    }
    seen.add(step.id.toLowerCase());
  }
  return requests;
}

function badRequest(message: string): ServiceError {
  return new ServiceError(400, "BadRequest", message);
}

function headerOf(step: Step, name: string): string | undefined {
  return Object.entries(step.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The request of a step, with the token of the batch. JSON bodies come as they are, others in base64. */
function stepRequest(batch: ServiceRequest, step: Step): ServiceRequest {
  const version = /^\/[^/]*/.exec(batch.path)![0];
  const target = `${version}/${step.url.replace(/^\//, "").replaceAll(" ", "%20")}`;
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  const own = Object.entries(step.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const headers = { authorization: batch.headers["authorization"], ...Object.fromEntries(own) };
  const isJson = (headers["content-type"] ?? "").startsWith("application/json");
  const bytes = step.body === undefined
    ? new Uint8Array()
    : isJson
    ? new TextEncoder().encode(JSON.stringify(step.body))
    : Buffer.from(String(step.body), "base64");
  return { ...batch, method: step.method, target, path, query, headers, body: bodyOf(bytes) };
}

function bodyOf(bytes: Uint8Array): RequestBody {
  let left: Uint8Array | undefined = bytes.length > 0 ? bytes : undefined;
  const pull = () => {
    const chunk = left;
    left = undefined;
    return Promise.resolve(chunk);
  };
  return new RequestBody({ declaredLength: bytes.length, chunked: false, pull });
}

/** A JSON body becomes part of the response's JSON. */
function contentOf({ headers, body }: ServiceResponse): { headers: unknown; body?: unknown } {
  const shown = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.replace(/\b\w/g, (c) => c.toUpperCase()), value]),
  );
  if (typeof body !== "string" || body === "") return { headers: shown };
  const isJson = (headers["content-type"] ?? "").startsWith("application/json");
  return { headers: shown, body: isJson ? JSON.parse(body) : Buffer.from(body).toString("base64") };
}

function errorResponse(status: number, code: string, message: string): ServiceResponse {
  return jsonResponse(status, { error: { code, message } });
}
