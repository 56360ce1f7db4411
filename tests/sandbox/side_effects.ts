/** What fault rules let happen beside the request they strike: real changes of the sandbox's state. */

import type { SideEffect } from "./faults.ts";
import type { ServiceRequest } from "./messages.ts";
import { ServiceError } from "./service_error.ts";
import type { State } from "./state.ts";

/** Lets it happen, just before the request takes effect. */
export function applySideEffect(state: State, what: SideEffect, call: ServiceRequest): void {
  try {
    happens(state, what, call);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error; // a link that is no good: the service is about to say so itself
  }
}

function happens(state: State, what: SideEffect, call: ServiceRequest): void {
  switch (what) {
    case "tokens-expire":
      return state.tokens.expireAccess();
    case "link-expires":
      return endLink(state, call, 401);
    case "link-forbidden":
      return endLink(state, call, 403);
    case "name-taken":
      return takeName(state, call);
    case "claims-required":
      return state.challenges.issue("tokens", "everybody");
    case "interaction-required":
      return state.challenges.issue("interaction_required", "everybody");
  }
}

/** The session of a dead upload URL goes with it: all clients that were looked at get a new one at once (7.4). */
function endLink(state: State, call: ServiceRequest, status: 401 | 403): void {
  if (call.path.endsWith("/uploadSession")) {
    state.sessions.end(state.sessions.get(state.signer.check(call, "upload").subject), "abandoned");
  }
  state.signer.kill(call, status);
}

function takeName(state: State, call: ServiceRequest): void {
  const { drive, parent, name } = state.sessions.get(state.signer.check(call, "upload").subject);
  const author = { user: state.tenant.directory.users[1]! };
  const content = state.tenant.store.put(new TextEncoder().encode("another writer's"));
  drive.placeFile(parent, name, content, { conflict: "replace", author });
}
