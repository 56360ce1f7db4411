/** The crontab lines of the README, in the minimal environment of cron. */

import { assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { cloudHosts } from "../../lib/cli/grants.ts";
import {
  denoRun,
  environment,
  firstLineFlags,
  type ProcessResult,
  ROOT,
  type ScriptName,
  startTestEnv,
  type TestEnv,
} from "../test_env.ts";

const windows = Deno.build.os === "windows";

/** Runs a line as cron does: with /bin/sh and four variables, in the home folder. */
async function cron(home: string, line: string): Promise<ProcessResult> {
  const decoder = new TextDecoder();
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", line],
    clearEnv: true,
    env: { HOME: home, PATH: "/usr/bin:/bin", SHELL: "/bin/sh", LOGNAME: "somebody" },
    cwd: home,
    stdin: "null",
  }).output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Creates a home folder with a config file, and returns it with a function that writes the start of a crontab line. */
async function setUp(env: TestEnv): Promise<{ home: string; start: (script: ScriptName) => string }> {
  const { GRAPH_SCRIPTS_HOME: _, ...settings } = env.sandbox.env;
  const names: Record<string, string> = {
    GRAPH_LOGIN_ORIGIN: "loginOrigin",
    GRAPH_API_ORIGIN: "apiOrigin",
    GRAPH_STORAGE_HOSTS: "storageHosts",
    GRAPH_CLIENT_ID: "clientId",
    GRAPH_TENANT_ID: "tenantId",
    GRAPH_SITE: "site",
    GRAPH_SITE_HOST: "siteHost",
  };
  const config = Object.fromEntries(Object.entries(settings).map(([name, value]) => [names[name], value]));
  const home = join(env.folder, "home");
  const folder = join(home, ".config", "graph-scripts");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "graph-scripts.json"), JSON.stringify(config));
  // The packages are in the cache of the user who runs the tests, not below this HOME.
  const cache = `DENO_DIR='${environment({}).DENO_DIR}'`;
  const hosts = cloudHosts({
    loginOrigin: env.sandbox.loginOrigin,
    apiOrigin: env.sandbox.apiOrigin,
    storageHosts: [new URL(env.sandbox.storageOrigin).host],
  });
  const net = `--allow-net=${[...hosts.hosts, ...hosts.storageHosts].join(",")}`;
  const deno = denoRun().map((word) => `'${word}'`).join(" ");
  const start = (script: ScriptName) =>
    `cd '${ROOT}' && ${cache} ${deno} ${firstLineFlags(script)} ${net} scripts/${script}.ts`;
  return { home, start };
}

Deno.test({
  name: "put in a cron job uploads, keeps the sign-in alive, and reports failures by exit code and mail",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    const { home, start } = await setUp(env);
    await Deno.writeTextFile(join(home, "report.csv"), "a,b\n");
    const put = `${start("put")} --no-prompt --quiet "$HOME/report.csv" General/ >/dev/null`;
    const alive = `${start("whoami")} --no-prompt --quiet >/dev/null`;
    const check = `${start("whoami")} --check --quiet | grep '^fail'; true`;

    const before = await cron(home, put);
    assertEquals([before.code, before.stdout], [4, ""]);
    assertMatch(before.stderr, /^put: not signed in; sign in once, in a terminal, with: scripts\/whoami\.ts/);

    const signIn = await cron(home, `${start("whoami")} --prompt`); // as in a terminal
    assertEquals(signIn.code, 0, signIn.stderr);

    assertEquals(await cron(home, put), { code: 0, stdout: "", stderr: "" }); // nothing to mail
    assertEquals(env.sandbox.tenant.find("Documents", "General/report.csv")?.size, 4);
    assertEquals(await cron(home, alive), { code: 0, stdout: "", stderr: "" });
    assertEquals(await cron(home, check), { code: 0, stdout: "", stderr: "" });

    env.sandbox.addFault({ method: "PUT", path: "/content", times: "always", status: 503, body: "" });
    const later = await cron(home, put.replace("--quiet", "--quiet --max-wait 0s"));
    assertEquals([later.code, later.stdout], [8, ""]);
    assertMatch(later.stderr, /^put: .*unavailable/);
    env.sandbox.clearFaults();

    env.sandbox.expireAccessTokens();
    env.sandbox.revokeRefreshTokens();
    const checked = await cron(home, check);
    assertMatch(checked.stdout, /^fail sign-in +Graph does not accept the cached token/);
    const dead = await cron(home, alive);
    assertEquals([dead.code, dead.stdout], [4, ""]);
    assertMatch(dead.stderr, /^whoami: .*sign in again with: scripts\/whoami\.ts/);
  },
});

Deno.test({
  name: "two cron jobs at the same time refresh once, and one without HOME fails",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    const { home, start } = await setUp(env);
    assertEquals((await cron(home, `${start("whoami")} --prompt`)).code, 0);
    await Deno.writeTextFile(join(home, "report.csv"), "a,b\n");
    const put = `${start("put")} --no-prompt --quiet "$HOME/report.csv" General/ >/dev/null`;
    const both = await Promise.all([cron(home, put), cron(home, put)]); // both must refresh first
    assertEquals(both.map(({ code, stderr }) => [code, stderr]), [[0, ""], [0, ""]]);
    const renewals = env.sandbox.requests.filter(({ method, path }) =>
      method === "POST" && /\/token(\?|$)/.test(path)
    );
    assertEquals(renewals.filter(({ status }) => status === 200).length, 2); // the sign-in, and one refresh for both
    const homeless = await cron(home, `unset HOME; ${start("whoami")} --no-prompt`);
    assertEquals(homeless.code, 2);
    assertMatch(homeless.stderr, /no home folder.*GRAPH_SCRIPTS_HOME/);
  },
});
