/** An error response. Graph and storage use the same codes in different shapes. */
export class ServiceError extends Error {
  override name = "ServiceError";
  readonly status: number;
  readonly code: string;
  /** The more specific code inside `innerError`/`innererror`. */
  readonly innerCode: string | undefined;
  readonly headers: Record<string, string>;
  /** A text for the user, in the user's language. */
  readonly localizedMessage: string | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { innerCode?: string; headers?: Record<string, string>; localizedMessage?: string } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.innerCode = more.innerCode;
    this.headers = more.headers ?? {};
    this.localizedMessage = more.localizedMessage;
  }
}

/** 400 `invalidRequest`. */
export function invalidRequest(message: string, innerCode?: string): ServiceError {
  return new ServiceError(400, "invalidRequest", message, innerCode === undefined ? {} : { innerCode });
}

/** 404 `itemNotFound`. */
export function itemNotFound(message = "The resource could not be found."): ServiceError {
  return new ServiceError(404, "itemNotFound", message);
}

/** 403 `accessDenied`. */
export function accessDenied(message = "Access denied"): ServiceError {
  return new ServiceError(403, "accessDenied", message);
}

/** 409 `nameAlreadyExists`. */
export function nameAlreadyExists(
  message = "Name already exists",
): ServiceError {
  return new ServiceError(409, "nameAlreadyExists", message);
}

const DOCUMENTATION = "https://learn.microsoft.com/graph/";

/** 501: missing here, which says nothing about the caller. `page` documents it, relative to those of Graph. */
export function notImplemented(what: string, page: string): ServiceError {
  const message = `The sandbox does not model ${what}. See ${new URL(page, DOCUMENTATION)}`;
  return new ServiceError(501, "sandboxNotImplemented", message);
}
