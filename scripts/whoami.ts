#!/usr/bin/env -S deno run -q -P=whoami
/**
 * Signs in if needed, and proves the session with a real `GET /me`.
 *
 * Permissions on Microsoft Graph: `User.Read`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli.ts";
import { getMe, type Me } from "../lib/me.ts";
import { formatDuration } from "../lib/sizes.ts";

/** The definition of `whoami`. */
export const whoami: Command = {
  name: "whoami",
  summary: "Signs in if needed, and shows who is signed in.",
  forms: ["", "--sign-out"],
  arguments: { least: 0, most: 0, names: "" },
  options: [{ name: "sign-out", help: "forget the sign-in on this machine" }],
  locations: false,
  run,
};

async function run(run: Run): Promise<void> {
  const connection = await run.connect("identity", false);
  if (run.has("sign-out")) {
    const signedOut = await connection.session.signOut();
    run.output.result({ signedOut }, signedOut ? "signed out on this machine" : "nobody was signed in");
    return;
  }
  const me = await getMe(connection);
  run.output.result(me, describe(me));
}

function describe(me: Me): string {
  const left = me.expiresAt === null
    ? ""
    : ` (in ${formatDuration((Date.parse(me.expiresAt) - Date.now()) / 1000)}; renewed by itself)`;
  return [
    `${me.displayName ?? "(no name)"} <${me.userPrincipalName ?? me.id}>`,
    `id       ${me.id}`,
    `tenant   ${me.tenantId ?? "unknown"} (${me.cloud})`,
    `scopes   ${me.scopes.join(" ") || "unknown"}`,
    `expires  ${me.expiresAt ?? "unknown"}${left}`,
    `cache    ${me.cache ?? "none: GRAPH_ACCESS_TOKEN is used"}`,
  ].join("\n");
}

if (import.meta.main) Deno.exit(await runCommand(whoami, Deno.args));
