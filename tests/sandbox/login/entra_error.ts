/** Errors in the format of Entra ID (PROTOCOL 13.2). */

import { jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";

/** An OAuth error with its AADSTS number. */
export class EntraError extends Error {
  override name = "EntraError";
  readonly error: string;
  readonly number: number;
  readonly suberror: string | undefined;
  readonly status: number;

  constructor(
    error: string,
    number: number,
    message: string,
    more: { suberror?: string; status?: number } = {},
  ) {
    super(message);
    this.error = error;
    this.number = number;
    this.suberror = more.suberror;
    this.status = more.status ?? 400;
  }
}

export interface ErrorFields {
  readonly error: string;
  readonly error_description: string;
  readonly error_codes: readonly number[];
  readonly timestamp: string;
  readonly trace_id: string;
  readonly correlation_id: string;
  readonly error_uri: string;
  readonly suberror?: string;
}

/** The fields common to JSON, redirects and pages. */
export function describeError(error: EntraError, request: ServiceRequest): ErrorFields {
  const timestamp = `${new Date().toISOString().slice(0, 19).replace("T", " ")}Z`;
  const traceId = crypto.randomUUID();
  const correlationId = request.headers["client-request-id"] ?? crypto.randomUUID();
  return {
    error: error.error,
    error_description: `AADSTS${error.number}: ${error.message} Trace ID: ${traceId} ` +
      `Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [error.number],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${error.number}`,
    ...(error.suberror === undefined ? {} : { suberror: error.suberror }),
  };
}

/** The JSON response: 400, or 401 for `invalid_client`. */
export function entraErrorResponse(error: EntraError, request: ServiceRequest): ServiceResponse {
  const fields = describeError(error, request);
  return jsonResponse(error.status, fields, { "x-ms-request-id": fields.trace_id });
}
