/** The layout of all sandbox pages: plain HTML, usable by keyboard alone, with all input escaped. */

import type { ServiceResponse } from "../messages.ts";
import type { User } from "../tenant/directory.ts";

/** A radio button for one account. */
export function accountChoice(user: User, chosen: boolean): string {
  const first = chosen ? " checked autofocus" : "";
  return `<p><label><input type="radio" name="person" value="${user.key}"${first}>
    ${escapeHtml(user.displayName)} <small>${escapeHtml(user.mail)}</small></label></p>`;
}

/** The error above a form, or nothing. */
export function errorText(error: string | undefined): string {
  return error === undefined ? "" : `<p id="error" class="error" role="alert">${escapeHtml(error)}</p>`;
}

export function page(title: string, body: string): string {
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

/** A page as a response; `policy` extends what its forms, scripts and fetches may do. */
export function htmlResponse(
  status: number,
  body: string,
  policy: { forms?: string; script?: string; connect?: string } = {},
): ServiceResponse {
  return {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy":
        `default-src 'none'; style-src 'unsafe-inline'; form-action 'self' ${policy.forms ?? ""}; ` +
        `frame-ancestors 'none'; script-src ${policy.script ?? "'none'"}; ` +
        `connect-src ${policy.connect ?? "'none'"}; img-src data:`,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
    body,
  };
}

/** Escapes text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}
