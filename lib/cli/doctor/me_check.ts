/**
 * Whether Graph accepts the access token that is there. It is not renewed for this: that would write a new one.
 *
 * @module
 */
import type { User } from "@microsoft/microsoft-graph-types";
import { scopeIncludes } from "../../auth/cache_content.ts";
import { commandName } from "../hints.ts";
import { GraphError, isGraphError } from "../../errors.ts";
import { hasShape } from "../../graph/response_shape.ts";
import { GraphClient } from "../../graph/client.ts";
import type { HttpClient } from "../../http/client.ts";
import { isUser } from "../../drive/me.ts";
import type { Settings } from "../../settings.ts";
import { type Diagnosis, ok, warn } from "./finding.ts";
import type { DriveFacts } from "./hosts_check.ts";
import type { CheckedSignIn } from "./sign_in_check.ts";
import { networkFinding } from "./network_failure.ts";

/** Asks Graph who is signed in, and where their drive is. */
export async function checkMe(
  http: HttpClient,
  { apiOrigin, accessToken, appCredential }: Settings,
  { tokenFor, scopes }: CheckedSignIn,
): Promise<{ diagnosis: Diagnosis; drive: DriveFacts | undefined }> {
  if (appCredential && accessToken === undefined) {
    const hint = `prove that it gets a token with: ${commandName("whoami")}`;
    return {
      diagnosis: warn("me", "not asked: an app by itself is nobody that Graph could name", hint),
      drive: undefined,
    };
  }
  const token = tokenFor("User.Read");
  if (token === undefined) {
    const detail = "not asked: no access token is good just now, and checking renews none";
    const hint = `prove the sign-in with: ${commandName("whoami")} --no-prompt`;
    return { diagnosis: warn("me", detail, hint), drive: undefined };
  }
  const graphWith = (secret: string) =>
    new GraphClient(http, apiOrigin, {
      token: (renew) => renew ? Promise.reject(refused(accessToken !== undefined)) : Promise.resolve(secret),
    });
  try {
    const user = await graphWith(token.secret).requestJson<User>("/me", {
      what: "who is signed in",
      accepts: isUser,
    });
    const who = `${user.displayName ?? "(no name)"} <${user.userPrincipalName ?? user.id}>`;
    return {
      diagnosis: ok("me", `Graph accepts the token of ${who}`),
      drive: await driveOf(graphWith((tokenFor("Files.Read") ?? token).secret), scopes),
    };
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    const mayAsk = token.scopes.length === 0 ||
      token.scopes.some((scope) => scopeIncludes(scope, "User.Read"));
    if (error.status === 403 && !mayAsk) {
      const accepted = ok(
        "me",
        "Graph accepts the token, which does not let it tell whose it is (no User.Read)",
      );
      return { diagnosis: accepted, drive: await driveOf(graphWith(token.secret), token.scopes) };
    }
    return { diagnosis: networkFinding("me", error), drive: undefined };
  }
}

/** Only where the permission is there; a person without a drive has none to tell of. */
async function driveOf(graph: GraphClient, scopes: readonly string[]): Promise<DriveFacts | undefined> {
  if (!scopes.some((scope) => scopeIncludes(scope, "Files.Read"))) return undefined;
  try {
    return await graph.requestJson<DriveFacts>("/me/drive?$select=webUrl,driveType", {
      what: "your OneDrive",
      accepts: (value) => hasShape(value, { webUrl: "string", driveType: "string" }),
    });
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    return undefined; // the check of storage says that it does not know the host
  }
}

function refused(ready: boolean): GraphError {
  return new GraphError(
    "signInNeeded",
    `Graph does not accept ${ready ? "GRAPH_ACCESS_TOKEN" : "the cached token"}`,
    {
      code: "tokenRefused",
      hint: ready
        ? `get a new token for Microsoft Graph, or unset it and sign in with: ${commandName("whoami")}`
        : `renew it, or sign in again, with: ${commandName("whoami")}`,
    },
  );
}
