/**
 * Runs `deno SUBCOMMAND …` with the configuration whose packages can be had here: `deno.json` (npm and JSR) when JSR
 * answers or its packages are cached already, `deno.npm.json` (npm only) otherwise. JSR is asked once, for 3 s at most.
 *
 *     deno run -A tests/tools/with_packages.ts test -A tests/
 *
 * It imports nothing, so it runs on any network.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);
/** Tells programs started from here, and theirs, which configuration was chosen. */
const CHOICE = "GRAPH_SCRIPTS_PACKAGES";
const JSR_TIMEOUT_MS = 3000;

async function cached(): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "cache",
      "-q",
      "--cached-only",
      "--no-lock",
      "--config",
      pathOf("deno.json"),
      pathOf("lib/cli.ts"),
      pathOf("tests/harness.ts"),
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function answers(): Promise<boolean> {
  try {
    const url = new URL("/@std/path/meta.json", Deno.env.get("JSR_URL") ?? "https://jsr.io");
    const response = await fetch(url, { signal: AbortSignal.timeout(JSR_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // not reachable: exactly what was asked
  }
}

function pathOf(name: string): string {
  const { pathname } = new URL(name, ROOT);
  const decoded = decodeURIComponent(pathname);
  return Deno.build.os === "windows" ? decoded.slice(1) : decoded;
}

const chosen = Deno.env.get(CHOICE) ?? (await cached() || await answers() ? "deno.json" : "deno.npm.json");
const [subcommand, ...args] = Deno.args;
if (subcommand === undefined) {
  console.error("usage: with_packages.ts SUBCOMMAND [ARG…]");
  Deno.exit(2);
}
// Another JSR server has its own checksums, so the lock file cannot hold for it.
const lock = Deno.env.has("JSR_URL") ? ["--no-lock"] : [];
const child = new Deno.Command(Deno.execPath(), {
  args: [subcommand, "--config", pathOf(chosen), ...lock, ...args],
  env: { [CHOICE]: chosen, DENO_NO_UPDATE_CHECK: "1" },
}).spawn();
// Ctrl-C reaches the child as well; it decides how to end.
for (const signal of ["SIGINT", ...(Deno.build.os === "windows" ? [] : ["SIGTERM"])] as Deno.Signal[]) {
  Deno.addSignalListener(signal, () => {
    if (signal === "SIGTERM") child.kill(signal);
  });
}
Deno.exit((await child.status).code);
