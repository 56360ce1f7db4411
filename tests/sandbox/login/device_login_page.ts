/** The page for entering a device code: plain HTML forms without scripts, usable by keyboard alone. */

import type { ServiceRequest, ServiceResponse } from "../messages.ts";
import type { State } from "../state.ts";
import type { User } from "../tenant/directory.ts";
import { approve } from "./approval.ts";
import type { DeviceCode } from "./device_codes.ts";
import { EntraError } from "./entra_error.ts";
import { accountChoice, errorText, escapeHtml, htmlResponse, page } from "./html.ts";

/**
 * `GET` and `POST /devicelogin` (`/link` for personal accounts): enter the code → choose an account and approve or
 * decline → result.
 */
export async function deviceLoginPage(state: State, request: ServiceRequest): Promise<ServiceResponse> {
  if (request.method === "GET" || request.method === "HEAD") return htmlResponse(200, codePage());
  if (request.method !== "POST") {
    return htmlResponse(405, page("Not possible", "<p>This page takes GET and POST only.</p>"));
  }
  const form = new URLSearchParams(await request.body.text());
  const typed = form.get("code") ?? "";
  const code = state.deviceCodes.byUserCode(typed);
  if (code === undefined) {
    const error = typed.trim() === ""
      ? "Type the code that your script shows."
      : "That code did not work. Check it and try again, or start the script again for a new code.";
    return htmlResponse(200, codePage(error, typed));
  }
  const user = state.tenant.directory.users.find((user) => user.key === form.get("person"));
  switch (form.get("decision")) {
    case "approve":
      if (user === undefined) return htmlResponse(200, accountsPage(state, code, "Choose who signs in."));
      return approvedPage(state, code, user);
    case "decline":
      code.decision = { kind: "declined" };
      return htmlResponse(200, resultPage("Sign-in declined", "The script gets no access."));
    default:
      return htmlResponse(200, accountsPage(state, code));
  }
}

/** Some errors appear only in the browser, while the script keeps polling (PROTOCOL A3). */
function approvedPage(state: State, code: DeviceCode, user: User): ServiceResponse {
  try {
    const outcome = approve(state.tenant.directory, code, user, state.user.stop);
    code.decision = outcome;
    if (outcome.kind === "refused") throw outcome.error;
    return htmlResponse(200, resultPage("You are signed in", `You signed in as ${user.displayName}.`));
  } catch (error) {
    if (!(error instanceof EntraError)) throw error;
    const text = `AADSTS${error.number}: ${error.message}`;
    return htmlResponse(200, page("You cannot get there from here", errorText(text)));
  }
}

function codePage(error?: string, typed = ""): string {
  const described = error === undefined ? "" : ` aria-invalid="true" aria-describedby="error"`;
  return page(
    "Enter code",
    `${errorText(error)}<form method="post" action="/devicelogin">
      <p><label for="code">Code shown by your script</label>
      <input id="code" name="code" value="${escapeHtml(typed)}" autofocus required autocomplete="off"
        autocapitalize="characters" spellcheck="false"${described}></p>
      <p><button type="submit">Next</button></p>
    </form>`,
  );
}

function accountsPage(state: State, code: DeviceCode, error?: string): string {
  const { users } = state.tenant.directory;
  const chosen = state.user.as;
  const scopes = code.request.graph.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`).join("");
  return page(
    "Sign in",
    `${errorText(error)}<p>Are you trying to sign in to <strong>${
      escapeHtml(code.client.displayName)
    }</strong>? It asks for:</p>
    <ul>${scopes}</ul>
    <form method="post" action="/devicelogin">
      <input type="hidden" name="code" value="${escapeHtml(code.userCode)}">
      <fieldset><legend>Sign in as</legend>${
      users.map((user) => accountChoice(user, user.key === chosen)).join("")
    }</fieldset>
      <p><button type="submit" name="decision" value="approve">Approve</button>
      <button type="submit" name="decision" value="decline">Decline</button></p>
    </form>`,
  );
}

function resultPage(title: string, text: string): string {
  return page(
    title,
    `<p role="status">${escapeHtml(text)} You can close this page and go back to the terminal.</p>`,
  );
}
