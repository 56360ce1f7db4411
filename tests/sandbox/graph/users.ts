/** Users (PROTOCOL 1 and 2). */

import type { ServiceResponse } from "../messages.ts";
import { ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { siteUrl, type User } from "../tenant/directory.ts";
import * as may from "./authorization.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { entityResponse, type GraphRequest } from "./request.ts";

type Json = Record<string, unknown>;

/** `/me` and `/users/{id}`. */
export function getUser(state: State, request: GraphRequest, user: User, me: boolean): ServiceResponse {
  may.mayReadUser(request.caller);
  const others = ["User.ReadBasic.All", "User.Read.All"];
  if (!me && user !== request.caller.user && !others.some((scope) => request.caller.scopes.has(scope))) {
    throw new ServiceError(
      403,
      "Authorization_RequestDenied",
      "Insufficient privileges to complete the operation.",
    );
  }
  const drive = state.tenant.drives.find((drive) => drive.info.owner === user);
  const extra = {
    // Absent if the user never had a OneDrive (PROTOCOL 1).
    ...(drive && drive.cid === undefined ? { mySite: `${siteUrl(drive.info.site)}/` } : {}),
    userType: user.home ? "Guest" : "Member",
    accountEnabled: true,
  };
  const json = userJson(user);
  allowOptions(request.query, "$select");
  const names = selected(
    request.query,
    new Set([...Object.keys({ ...json, ...extra }), "mySite"]),
    "microsoft.graph.user",
    () => true, // a user has about seventy more
  );
  return entityResponse(state, 200, "users", names ? pick({ ...json, ...extra }, names) : json);
}

/** The eleven default properties. */
function userJson(user: User): Json {
  return {
    businessPhones: user.businessPhone === undefined ? [] : [user.businessPhone],
    displayName: user.displayName,
    givenName: user.givenName,
    jobTitle: user.jobTitle,
    mail: user.mail,
    mobilePhone: null,
    officeLocation: user.officeLocation,
    preferredLanguage: "en-US",
    surname: user.surname,
    userPrincipalName: user.userPrincipalName,
    id: user.id,
  };
}
