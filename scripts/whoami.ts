#!/usr/bin/env -S deno run -q -P=whoami
/**
 * Signs in if needed, and proves the session with a real `GET /me`.
 *
 * Permissions on Microsoft Graph: `User.Read`.
 *
 * @module
 */
import type { AccountFacts } from "../lib/accounts.ts";
import { type Command, type Run, runCommand } from "../lib/cli.ts";
import { usageError } from "../lib/errors.ts";
import { getMe, type Me } from "../lib/me.ts";
import { shellQuoted } from "../lib/private_file.ts";
import { type Rekeyed, rekeyTokenCache } from "../lib/rekey.ts";
import { formatDuration } from "../lib/sizes.ts";

/** The definition of `whoami`. */
export const whoami: Command = {
  name: "whoami",
  summary: "Signs in if needed, and shows who is signed in.",
  forms: ["", "--accounts", "--sign-out [--all]", "--rekey", "--decrypt"],
  arguments: { least: 0, most: 0, names: "" },
  options: [
    { name: "accounts", help: "who is signed in on this machine; asks nobody and sends nothing" },
    { name: "sign-out", help: "forget the chosen account on this machine" },
    { name: "all", help: "with --sign-out: forget all accounts" },
    { name: "rekey", help: "encrypt the token cache with the key of GRAPH_TOKEN_CACHE_NEW_KEY_FILE" },
    { name: "decrypt", help: "write the token cache in clear" },
  ],
  locations: false,
  run,
};

async function run(run: Run): Promise<void> {
  const doing = ["accounts", "sign-out", "rekey", "decrypt"].filter((name) => run.has(name));
  if (doing.length > 1) {
    throw usageError(`--${doing.join(" and --")} do not go together`, "see whoami --help");
  }
  if (run.has("all") && !run.has("sign-out")) {
    throw usageError("--all goes with --sign-out only", "see whoami --help");
  }
  const connection = await run.connect("identity", false);
  if (run.has("rekey") || run.has("decrypt")) {
    const to = run.has("rekey") ? "newKey" : "clear";
    const { signal, output: { notice } } = run;
    const rekeyed = await rekeyTokenCache(connection.settings, to, { signal, notice });
    run.output.result(rekeyed, describeRekeyed(rekeyed));
    return;
  }
  if (run.has("accounts")) {
    for (const account of await connection.session.accounts()) {
      run.output.result(account, describeAccount(account));
    }
    return;
  }
  if (run.has("sign-out")) {
    const accounts = await connection.session.signOut({ all: run.has("all") });
    const signedOut = accounts.length > 0;
    run.output.result(
      { signedOut, accounts },
      signedOut ? `signed out on this machine: ${accounts.join(", ")}` : "nobody was signed in",
    );
    return;
  }
  const me = await getMe(connection);
  run.output.result(me, describe(me));
}

function describeRekeyed({ cache, encrypted, set, unset }: Rekeyed): string {
  return [
    `${cache} is ${encrypted ? "encrypted with the new key" : "in clear"}; from now on:`,
    ...Object.entries(set).map(([name, value]) => `  export ${name}=${shellQuoted(value)}`),
    `  unset ${unset.join(" ")}`,
  ].join("\n");
}

function describeAccount({ chosen, ...account }: AccountFacts): string {
  const guest = account.homeTenantId === null ? "" : `, guest from ${account.homeTenantId}`;
  return `${chosen ? "*" : " "} ${account.displayName ?? "(no name)"} <${account.userPrincipalName}> ` +
    `(${account.kind}, tenant ${account.tenantId}${guest})`;
}

function describe(me: Me): string {
  const left = me.expiresAt === null
    ? ""
    : ` (in ${formatDuration((Date.parse(me.expiresAt) - Date.now()) / 1000)}; renewed by itself)`;
  return [
    me.displayName === null && me.userPrincipalName === null
      ? "an app by itself, for no person"
      : `${me.displayName ?? "(no name)"} <${me.userPrincipalName ?? me.id}>`,
    `id       ${me.id}`,
    `tenant   ${me.tenantId ?? "unknown"} (${me.cloud})`,
    `scopes   ${me.scopes.join(" ") || "unknown"}`,
    `expires  ${me.expiresAt ?? "unknown"}${left}`,
    `cache    ${me.cache ?? "none: GRAPH_ACCESS_TOKEN is used"}`,
  ].join("\n");
}

if (import.meta.main) Deno.exit(await runCommand(whoami, Deno.args));
