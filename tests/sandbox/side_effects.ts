/** Side effects of fault rules: changes of the sandbox's state. */

import type { SideEffect } from "./faults.ts";
import type { ServiceRequest } from "./messages.ts";
import { ServiceError } from "./service_error.ts";
import type { State } from "./state.ts";
import { anotherUser } from "./tenant/tenant.ts";

/** Applies a side effect just before the request takes effect. */
export function applySideEffect(state: State, what: SideEffect, request: ServiceRequest): void {
  try {
    runSideEffect(state, what, request);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error; // an invalid URL, which the service rejects itself
  }
}

function runSideEffect(state: State, what: SideEffect, request: ServiceRequest): void {
  switch (what) {
    case "tokens-expire":
      return state.tokens.expireAccess();
    case "link-expires":
      return revokeUrl(state, request, 401);
    case "link-forbidden":
      return revokeUrl(state, request, 403);
    case "name-taken":
      return storeUnderSameName(state, request);
    case "claims-required":
      return state.challenges.issue("tokens", "all");
    case "interaction-required":
      return state.challenges.issue("interaction_required", "all");
    case "changes-forgotten":
      return state.tenant.drives.forEach(({ changes }) => changes.forget());
  }
}

/** The session of a revoked upload URL ends too: all examined clients then create a new one (7.4). */
function revokeUrl(state: State, request: ServiceRequest, status: 401 | 403): void {
  if (request.path.endsWith("/uploadSession")) {
    state.sessions.end(state.sessions.get(state.signer.check(request, "upload").subject), "abandoned");
  }
  state.signer.revoke(request, status);
}

function storeUnderSameName(state: State, request: ServiceRequest): void {
  const { drive, parent, name } = state.sessions.get(state.signer.check(request, "upload").subject);
  const author = { user: anotherUser(state.tenant.directory) };
  const content = state.tenant.store.put(new TextEncoder().encode("another writer's"));
  drive.placeFile(parent, name, content, { conflict: "replace", author });
}
