/**
 * Runs `deno SUBCOMMAND …` with the configuration whose packages can be had here: `deno.json` (npm and JSR) when its JSR
 * packages are cached already or JSR answers, `deno.npm.json` (npm only) otherwise. JSR is asked once, for 3 s at most.
 *
 *     deno run -A tests/tools/with_packages.ts test -A tests/
 *
 * It imports nothing, so it runs on any network.
 *
 * @module
 */
// deno-lint-ignore-file no-console

const ROOT = new URL("../../", import.meta.url);
/** Tells programs started from here, and theirs, which configuration was chosen. */
const CHOICE = "GRAPH_SCRIPTS_PACKAGES";
const JSR_TIMEOUT_MS = 3000;

/** Whether `deno cache` can do its work in time, without a lock file that the answer could change. */
async function canCache(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "-q", "--no-lock", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(JSR_TIMEOUT_MS),
  }).output();
  return success;
}

/** Whether all JSR packages are here: the two modules import them all. */
function cached(): Promise<boolean> {
  const modules = ["lib/mod.ts", "tests/binaries_test.ts"].map(pathOf);
  return canCache("--cached-only", "--config", pathOf("deno.json"), ...modules);
}

/** Whether JSR answers. Deno itself asks, for one small module, since it knows where JSR is and through which proxy. */
function answers(): Promise<boolean> {
  return canCache("--no-config", "--reload=jsr:@std/internal", "jsr:@std/internal@1.0.14/os");
}

function pathOf(name: string): string {
  const { pathname } = new URL(name, ROOT);
  const decoded = decodeURIComponent(pathname);
  return Deno.build.os === "windows" ? decoded.slice(1) : decoded;
}

/**
 * Tests need packages that scripts do not, and Deno downloads whatever the lock file lists: so tests have one of their
 * own, and who runs a script does not pay for them.
 */
function lockOption(config: string): string {
  // Another JSR server has its own checksums, so no lock file can hold for it.
  if (Deno.env.has("JSR_URL")) return "--no-lock";
  return `--lock=${pathOf(`tests/${config.replace(/json$/, "lock")}`)}`;
}

/**
 * What scripts need is fetched here, with proxies and certificates as the machine has them: tests and the demo start
 * them with a bare environment. Where it fails, the run itself says why.
 */
async function cacheScripts(config: string): Promise<void> {
  const scripts = ["whoami", "ls", "get", "put", "put-large"].map((name) => pathOf(`scripts/${name}.ts`));
  await new Deno.Command(Deno.execPath(), {
    args: ["cache", "-q", "--config", pathOf(config), lockOption(config), ...scripts],
    stdin: "null",
  }).spawn().status;
}

const chosen = Deno.env.get(CHOICE) ?? (await cached() || await answers() ? "deno.json" : "deno.npm.json");
const [subcommand, ...args] = Deno.args;
if (subcommand === undefined) {
  console.error("usage: with_packages.ts SUBCOMMAND [ARG…]");
  Deno.exit(2);
}
await cacheScripts(chosen);
const child = new Deno.Command(Deno.execPath(), {
  args: [subcommand, "--config", pathOf(chosen), lockOption(chosen), ...args],
  env: { [CHOICE]: chosen, DENO_NO_UPDATE_CHECK: "1" },
}).spawn();
// The child decides how to end. Ctrl-C of a terminal has reached it already, and twice would mean "at once".
const { os } = Deno.build;
for (const signal of ["SIGINT", ...(os === "windows" ? [] : ["SIGTERM"])] as Deno.Signal[]) {
  Deno.addSignalListener(signal, () => {
    if (signal === "SIGTERM" || (os !== "windows" && !Deno.stdin.isTerminal())) child.kill(signal);
  });
}
Deno.exit((await child.status).code);
