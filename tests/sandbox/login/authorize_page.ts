/** The pages of browser sign-in. */

import { createHash } from "node:crypto";
import type { ServiceResponse } from "../messages.ts";
import type { Application, User } from "../tenant/directory.ts";
import { accountChoice, errorText, escapeHtml, htmlResponse, page } from "./html.ts";

export interface AccountPage {
  /** Path and query of the request; the target of the form. */
  readonly action: string;
  /** The redirect target: the page's policy must allow the form to go there. */
  readonly returnOrigin: string;
  readonly application: Application;
  readonly scopes: readonly string[];
  readonly users: readonly User[];
  readonly chosen: User;
  readonly error: string | undefined;
}

/** Shows the accounts and the requested scopes. */
export function accountPage(shown: AccountPage): ServiceResponse {
  const scopes = shown.scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`).join("");
  const choices = shown.users.map((user) => accountChoice(user, user === shown.chosen)).join("");
  const body = page(
    "Sign in",
    `${errorText(shown.error)}<p><strong>${escapeHtml(shown.application.displayName)}</strong> asks for:</p>
    <ul>${scopes}</ul>
    <form method="post" action="${escapeHtml(shown.action)}">
      <fieldset><legend>Sign in as</legend>${choices}</fieldset>
      <p><button type="submit" name="decision" value="approve">Approve</button>
      <button type="submit" name="decision" value="decline">Decline</button></p>
    </form>`,
  );
  return htmlResponse(200, body, { forms: shown.returnOrigin });
}

/** An error that is not sent to the app. */
export function errorPage(description: string): ServiceResponse {
  return htmlResponse(400, page("Sorry, but we are having trouble signing you in", errorText(description)));
}

const SUBMIT = "document.forms[0].submit()";

/** `response_mode=form_post`: a form that submits itself. */
export function formPostPage(redirectUri: string, fields: Record<string, string>): ServiceResponse {
  const inputs = Object.entries(fields).map(([name, value]) =>
    `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`
  ).join("\n");
  const body = page(
    "Working…",
    `<form method="post" action="${escapeHtml(redirectUri)}">${inputs}
      <p><button type="submit">Continue</button></p>
    </form>
    <script>${SUBMIT}</script>`,
  );
  const hash = createHash("sha256").update(SUBMIT).digest("base64");
  return htmlResponse(200, body, { forms: new URL(redirectUri).origin, script: `'sha256-${hash}'` });
}
