/** MSAL Node in its usual configuration, pointed at the sandbox, and a minimal browser. */

import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type Configuration,
  type NodeAuthOptions,
  PublicClientApplication,
} from "npm:@azure/msal-node@7.2.1";
import { assert } from "../../assert.ts";
import type { Sandbox } from "../mod.ts";
import { send } from "./testing.ts";

/** The production authority with the sandbox's endpoints (msal-on-deno section 3). */
function configuration(sandbox: Sandbox, auth: Partial<NodeAuthOptions>, tenant?: string): Configuration {
  const base = `${sandbox.loginOrigin}/{tenantid}`;
  return {
    auth: {
      clientId: sandbox.env["GRAPH_CLIENT_ID"]!,
      authority: `https://login.microsoftonline.com/${tenant ?? sandbox.env["GRAPH_TENANT_ID"]}`,
      authorityMetadata: JSON.stringify({
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        end_session_endpoint: `${base}/oauth2/v2.0/logout`,
        issuer: "https://login.microsoftonline.com/{tenantid}/v2.0",
        jwks_uri: `${base}/discovery/v2.0/keys`,
      }),
      ...auth,
    },
  };
}

/** The app for users. */
export function publicClient(
  sandbox: Sandbox,
  auth: Partial<NodeAuthOptions> = {},
  tenant?: string,
): PublicClientApplication {
  return new PublicClientApplication(configuration(sandbox, auth, tenant));
}

/** The app-only client. */
export function unattendedClient(
  sandbox: Sandbox,
  auth: Partial<NodeAuthOptions>,
): ConfidentialClientApplication {
  return new ConfidentialClientApplication(
    configuration(sandbox, { clientId: sandbox.app.clientId, ...auth }),
  );
}

/** Acts as a browser: follows redirects and submits self-submitting forms. */
export async function browse(url: string): Promise<string> {
  const page = await send(url, { redirect: "follow" });
  const action = /<form method="post" action="([^"]*)"/.exec(page.text)?.[1];
  if (action === undefined || !page.text.includes("document.forms[0].submit()")) return page.text;
  const fields = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  const form = fields.map(([, name, value]) => [unescapeHtml(name!), unescapeHtml(value!)]);
  const reply = await send(unescapeHtml(action), { method: "POST", body: new URLSearchParams(form) });
  return reply.text;
}

/** Unescapes an HTML attribute. */
export function unescapeHtml(text: string): string {
  const characters: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name) => characters[name]!);
}

/** The display name of the token's user. */
export async function nameOf(sandbox: Sandbox, result: AuthenticationResult | null): Promise<string> {
  assert(result);
  const headers = { authorization: `Bearer ${result.accessToken}` };
  const { json, text } = await send(`${sandbox.apiOrigin}/v1.0/me`, { headers });
  return json.displayName ?? text;
}

/** MSAL's error fields. */
export interface Failure {
  name: string;
  message: string;
  errorCode: string;
  subError: string;
  /** A number at run time, despite its declared type. */
  errorNo: number;
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    return error as Failure;
  }
  throw new Error("it did not fail");
}
