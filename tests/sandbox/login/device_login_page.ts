/** The page where a person types the code: plain HTML forms, no script, usable by keyboard alone. */

import type { Answer, Call } from "../message.ts";
import type { State } from "../state.ts";
import type { User } from "../tenant/directory.ts";
import type { DeviceCode } from "./device_codes.ts";

/** `GET` and `POST /devicelogin`: type the code → choose the person and approve or decline → result. */
export async function deviceLoginPage(state: State, call: Call): Promise<Answer> {
  if (call.method === "GET" || call.method === "HEAD") return htmlAnswer(200, codePage());
  if (call.method !== "POST") {
    return htmlAnswer(405, page("Not possible", "<p>This page takes GET and POST only.</p>"));
  }
  const form = new URLSearchParams(await call.body.text());
  const typed = form.get("code") ?? "";
  const code = state.deviceCodes.byUserCode(typed);
  if (code === undefined) {
    const error = typed.trim() === ""
      ? "Type the code that your script shows."
      : "That code did not work. Check it and try again, or start the script again for a new code.";
    return htmlAnswer(200, codePage(error, typed));
  }
  const user = state.tenant.directory.users.find((user) => user.key === form.get("person"));
  switch (form.get("decision")) {
    case "approve":
      if (user === undefined) return htmlAnswer(200, personPage(state, code, "Choose who signs in."));
      code.decision = { kind: "approved", user };
      return htmlAnswer(200, resultPage("You are signed in", `You signed in as ${user.displayName}.`));
    case "decline":
      code.decision = { kind: "declined" };
      return htmlAnswer(200, resultPage("Sign-in declined", "The script gets no access."));
    default:
      return htmlAnswer(200, personPage(state, code));
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

function personPage(state: State, code: DeviceCode, error?: string): string {
  const { users, application } = state.tenant.directory;
  const scopes = code.request.graph.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`).join("");
  return page(
    "Sign in",
    `${errorText(error)}<p>Are you trying to sign in to <strong>${
      escapeHtml(application.displayName)
    }</strong>? It asks for:</p>
    <ul>${scopes}</ul>
    <form method="post" action="/devicelogin">
      <input type="hidden" name="code" value="${escapeHtml(code.userCode)}">
      <fieldset><legend>Sign in as</legend>${users.map(personChoice).join("")}</fieldset>
      <p><button type="submit" name="decision" value="approve">Approve</button>
      <button type="submit" name="decision" value="decline">Decline</button></p>
    </form>`,
  );
}

function personChoice(user: User, index: number): string {
  const first = index === 0 ? " checked autofocus" : "";
  return `<p><label><input type="radio" name="person" value="${user.key}"${first}>
    ${escapeHtml(user.displayName)} <small>${escapeHtml(user.userPrincipalName)}</small></label></p>`;
}

function resultPage(title: string, text: string): string {
  return page(
    title,
    `<p role="status">${escapeHtml(text)} You can close this page and go back to the terminal.</p>`,
  );
}

function errorText(error: string | undefined): string {
  return error === undefined ? "" : `<p id="error" class="error" role="alert">${escapeHtml(error)}</p>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – sandbox sign-in</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem; color: #1b1b1b; background: #fff; }
label { display: inline-block; margin-bottom: .25rem; }
#code { display: block; font: 1.4rem ui-monospace, monospace; width: 100%; box-sizing: border-box; padding: .4rem; }
button { font: inherit; padding: .4rem 1.2rem; margin-right: .5rem; }
:focus-visible { outline: 3px solid #0b57d0; outline-offset: 2px; }
.error { color: #a4262c; font-weight: 600; }
footer { margin-top: 2rem; color: #595959; font-size: .9rem; }
</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
<footer>This is the sandbox of graph-scripts on your own machine. It is not a Microsoft page; no password is asked.</footer>
</body>
</html>
`;
}

function htmlAnswer(status: number, body: string): Answer {
  return {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
    body,
  };
}

/** Makes text safe in HTML content and in quoted attributes. */
function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}
