import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { type ScriptName, startTestEnv } from "../test_env.ts";

/** Asserts that a command fails with this exit code, one line of error and no result. */
async function refused(
  env: Awaited<ReturnType<typeof startTestEnv>>,
  code: number,
  line: RegExp,
  [script, ...args]: [ScriptName, ...string[]],
  variables: Record<string, string> = {},
): Promise<void> {
  const ended = await env.runWith({ env: variables }, script, ...args);
  assertEquals([ended.code, ended.stdout], [code, ""], `${script} ${args.join(" ")}: ${ended.stderr}`);
  assertMatch(ended.stderr, line);
  assertMatch(ended.stderr, new RegExp(`^${script}: `));
  assertEquals(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
}

Deno.test("scripts reject wrong usage in one line without a request (exit code 2)", async () => {
  await using env = await startTestEnv({ signIn: false });
  const file = await env.file("a.txt", "a");
  await refused(env, 2, /unknown option --nope/, ["ls", "--nope"]);
  await refused(env, 2, /unknown option -x/, ["ls", "-x"]);
  await refused(env, 2, /unknown option --no-color/, ["ls", "--no-color"]);
  await refused(env, 2, /missing argument: LOCATION/, ["get"]);
  await refused(env, 2, /missing argument: FILE and LOCATION/, ["put", file]);
  await refused(env, 2, /too many arguments: c/, ["put-large", file, "b", "c"]);
  await refused(env, 2, /--site needs a value/, ["ls", "--site"]);
  await refused(env, 2, /--conflict maybe: not one of fail, replace, rename/, [
    "put",
    "--conflict",
    "maybe",
    file,
    "x",
  ]);
  await refused(env, 2, /unknown cloud "mars"/, ["ls", "--cloud", "mars"]);
  await refused(env, 2, /invalid application \(client\) id/, ["ls", "--client-id", "abc"]);
  await refused(env, 2, /invalid directory \(tenant\) id/, ["ls", "--tenant", "a b"]);
  await refused(env, 2, /is not an https origin/, ["ls"], { GRAPH_API_ORIGIN: "http://example.com" });
  await refused(env, 2, /GRAPH_API_ORIGIN is not an https origin/, ["ls"], { GRAPH_API_ORIGIN: "example" });
  await refused(env, 2, /is not a valid URL/, ["ls", "https://"]);
  await refused(env, 2, /is not a location; write team:TEAM/, ["ls", "team:"]);
  await refused(env, 2, /--for all: not of teams, links/, ["whoami", "--for", "all"]);
  await refused(env, 2, /is not a location; .*GRAPH_SITE_HOST/, ["ls", "site:TestTeam"], {
    GRAPH_SITE_HOST: "",
  });
  assertEquals(env.sandbox.requests, []);
});

Deno.test("scripts explain how to register an app when none is set", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { code, stderr } = await env.runWith(
    { env: { GRAPH_CLIENT_ID: "", GRAPH_TENANT_ID: "" } },
    "whoami",
    "--prompt",
  );
  assertEquals(code, 2);
  assertMatch(stderr, /no app registration: GRAPH_CLIENT_ID or GRAPH_TENANT_ID is not set/);
  assertMatch(stderr, /App registrations > New registration[\s\S]*Allow public client flows/);
});

Deno.test("put and put-large reject local files that are missing, folders or unreadable", async () => {
  await using env = await startTestEnv();
  const before = env.sandbox.requests.length;
  await refused(env, 3, /no such local file: nope\.txt/, ["put", "nope.txt", "General/"]);
  await refused(env, 2, /is a folder/, ["put", env.folder, "General/"]);
  await refused(env, 2, /is a folder/, ["put-large", env.folder, "General/"]);
  if (Deno.build.os === "linux") {
    await refused(env, 2, /neither a file nor a folder/, ["put", "/dev/null", "General/"]);
  }
  assertEquals(env.sandbox.requests.length, before);
});

Deno.test("put rejects illegal remote names before any request", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");
  const before = env.sandbox.requests.length;
  const names = [
    'a"b',
    "a*b",
    "a:b",
    "a<b",
    "a>b",
    "a?b",
    "a\\b",
    "a|b",
    "..",
    " a",
    "a ",
    "a.",
    "~$a",
    "CON",
    "nul.txt",
    ".lock",
    "desktop.ini",
    "a_vti_b",
    "a\u0007b",
    "a&#b",
    "x".repeat(256),
  ];
  for (const name of names) {
    for (const script of ["put", "put-large"] as const) {
      await refused(env, 2, /illegalName/, [script, file, `General/${name}`]);
    }
  }
  assertEquals(env.sandbox.requests.length, before);
});

Deno.test("put-large rejects invalid fragment sizes before any request", async () => {
  await using env = await startTestEnv({ signIn: false });
  const file = await env.file("a.txt", "a");
  for (const size of ["10MB", "1MB", "10000000", "60MiB", "0"]) {
    const message = /a fragment of \d+ bytes is not a multiple of 320 KiB .*use for example 10MiB/;
    await refused(env, 2, message, ["put-large", "--fragment-size", size, file, "x"]);
  }
  for (const jobs of ["0", "17", "four", "1.5"]) {
    await refused(env, 2, /not a whole number from 1 to 16/, ["put", "--jobs", jobs, file, "x"]);
  }
  await refused(env, 2, /--max-wait "soon" is not a time; write it as 30s, 5m or 1h/, [
    "put",
    "--max-wait",
    "soon",
    file,
    "x",
  ]);
  await refused(env, 2, /--fragment-size "much" is not a size/, [
    "put-large",
    "--fragment-size",
    "much",
    file,
    "x",
  ]);
  await refused(env, 2, /is not a size/, ["put-large", "--fragment-size=-1", file, "x"]);
  assertEquals(env.sandbox.requests, []);
});

Deno.test("scripts reject missing remote paths and items that are not files", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");
  await refused(env, 3, /Nope\/x\.pdf: it does not exist/, ["get", "Nope/x.pdf"]);
  await refused(
    env,
    3,
    /the folder General\/Nope does not exist; check it with: scripts\/ls\.ts, or make it with: scripts\/put\.ts --parents/,
    [
      "put",
      file,
      "General/Nope/a.txt",
    ],
  );
  await refused(env, 3, /the folder General\/Nope does not exist/, ["put", file, "General/Nope/"]);
  await refused(env, 3, /site contoso\.sharepoint\.com\/sites\/Nope/, ["ls"], {
    GRAPH_SITE: "contoso.sharepoint.com/sites/Nope",
  });
  await refused(env, 3, /no drive here is called Nope.*there are: Documents/, ["ls", "drive:Nope"]);
  await refused(env, 2, /General is a folder; use -r/, ["get", "General"]);
  await refused(env, 2, /Team Notebook is a OneNote notebook/, ["get", "General/Team Notebook"]);
  await refused(env, 6, /General\/Team Notebook/, ["put", file, "General/Team Notebook"]);
  await refused(env, 2, /Agenda\.md is a file, not a folder/, ["put", file, "General/Agenda.md/"]);
  assert(env.sandbox.tenant.find("Documents", "General/Nope") === undefined, "a folder was created");
});

Deno.test("scripts read the config file and name invalid settings", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { GRAPH_CLIENT_ID, GRAPH_TENANT_ID, GRAPH_SITE, GRAPH_SCRIPTS_HOME } = env.sandbox.env;
  const path = `${GRAPH_SCRIPTS_HOME}/graph-scripts.json`;
  const without = { GRAPH_CLIENT_ID: "", GRAPH_TENANT_ID: "", GRAPH_SITE: "" };
  await Deno.writeTextFile(
    path,
    JSON.stringify({ clientId: GRAPH_CLIENT_ID, tenantId: GRAPH_TENANT_ID, site: GRAPH_SITE }),
  );
  assertEquals((await env.runWith({ env: without }, "whoami", "--prompt")).code, 0);
  assertEquals((await env.runWith({ env: without }, "ls", "General")).code, 0);
  for (
    const [content, line] of [
      ["{", /not JSON/],
      ["[]", /not a JSON object/],
      ['{"clientID":"x"}', /clientID is not a setting/],
      ['{"site":1}', /site is not a string/],
      ['{"accessToken":"x"}', /accessToken is not a setting/],
    ] as const
  ) {
    await Deno.writeTextFile(path, content);
    await refused(env, 2, line, ["ls"]);
  }
});

Deno.test("scripts print help that fits a screen, and their version", async () => {
  await using env = await startTestEnv({ signIn: false });
  for (const script of ["whoami", "ls", "get", "put", "put-large"] as const) {
    const { code, stdout } = await env.run(script, "--help");
    assertEquals(code, 0);
    assert(stdout.split("\n").length <= 36, `${script}: ${stdout.split("\n").length} lines`);
    assert(stdout.split("\n").every((line) => line.length <= 100), `${script}: a line is too long`);
    assertEquals((await env.run(script, "--version")).stdout, `${script} 0.1.0\n`);
  }
});

Deno.test("scripts take true and false after a switch as arguments", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "true", "x");
  assertEquals((await env.run("ls", "-l", "true")).stdout.trim().split(/\s+/).at(-1), "true");
  assertEquals((await env.runProcess("get", "--quiet", "true", "-")).stdout, "x");
});

Deno.test("scripts reject switches with a value, and read no options after --", async () => {
  await using env = await startTestEnv();
  await refused(env, 2, /unknown option --constructor/, ["ls", "--constructor"]);
  await refused(env, 2, /unknown option --__proto__/, ["ls", "--__proto__=x"]);
  await refused(env, 2, /^ls: --json takes no value/, ["ls", "--json=FAIL"]);
  await refused(env, 2, /--quiet takes no value/, ["ls", "--quiet=maybe"]);
  const file = await env.file("--json", "a");
  const { code, stdout, stderr } = await env.run("put", "--", "--json", "General/a.txt");
  assertEquals([code, stdout], [0, "created General/a.txt (1 B, verified)\n"], stderr);
  env.sandbox.tenant.addFile("Documents", "true", "x");
  assertEquals((await env.run("ls", "--", "true")).stdout, "true\n", file);
});

Deno.test({
  name: "scripts reject a config file with origins that other users may write (exit code 5)",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using env = await startTestEnv({ signIn: false });
    const { GRAPH_SCRIPTS_HOME: folder, GRAPH_API_ORIGIN: apiOrigin } = env.sandbox.env;
    const path = `${folder}/graph-scripts.json`;
    await Deno.writeTextFile(path, JSON.stringify({ apiOrigin }));
    await Deno.chmod(path, 0o666);
    const { code, stderr } = await env.run("ls");
    assertEquals(code, 5, stderr);
    assertStringIncludes(stderr, "which sets apiOrigin; check its content, then make it yours: ");
    await Deno.chmod(path, 0o644);
    assertEquals((await env.run("ls")).code, 4);
    await Deno.writeTextFile(path, "{}");
    await Deno.chmod(path, 0o666);
    assertEquals((await env.run("ls")).code, 4, "the config file has no origins");
  },
});

Deno.test({
  name: "scripts reject a config file with origins of another user, also in a sticky folder",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0, // only root can change the owner of a file
  fn: async () => {
    await using env = await startTestEnv({ signIn: false });
    const { GRAPH_SCRIPTS_HOME: folder, ...variables } = env.sandbox.env;
    const path = `${folder}/graph-scripts.json`;
    await Deno.chmod(folder!, 0o1777);
    for (const name of ["loginOrigin", "apiOrigin", "storageHosts"]) {
      await Deno.writeTextFile(path, JSON.stringify({ [name]: "https://evil.example" }));
      await Deno.chown(path, 12345, 12345);
      const line = new RegExp(`other users of this machine may write to .*, which sets ${name}; `);
      await refused(env, 5, line, ["whoami", "--prompt"]); // may read the user id
      await refused(env, 5, line, ["ls"]); // may not read the user id
    }
    assertEquals(env.sandbox.requests, [], "a request was sent");
    // Without origins, the owner of the file does not matter.
    await Deno.writeTextFile(path, JSON.stringify({ site: variables.GRAPH_SITE }));
    await Deno.chown(path, 12345, 12345);
    assertEquals((await env.run("ls")).code, 4);
    const left = (await Array.fromAsync(Deno.readDir(folder!))).filter(({ name }) => name.endsWith(".tmp"));
    assertEquals(left, []);
  },
});

Deno.test("scripts accept a config file with a byte order mark", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { GRAPH_SCRIPTS_HOME: folder } = env.sandbox.env;
  await Deno.writeTextFile(`${folder}/graph-scripts.json`, '\ufeff{"cloud":"mars"}');
  await refused(env, 2, /unknown cloud "mars"/, ["ls"]);
});

Deno.test("scripts reject an origin with a password without printing it", async () => {
  await using env = await startTestEnv({ signIn: false });
  for (const scheme of ["http", "https"]) {
    const variables = { GRAPH_API_ORIGIN: `${scheme}://:hunter2@gateway.example` };
    const { code, stderr } = await env.runWith({ env: variables }, "ls");
    assertEquals([code, stderr.includes("hunter2")], [2, false], stderr);
  }
});

Deno.test("scripts suggest the site, library or team that a mistyped one probably means", async () => {
  await using env = await startTestEnv();
  const cases: [location: string, line: RegExp][] = [
    [
      "site:contoso.sharepoint.com/sites/Maketing/x",
      /; did you mean site:contoso\.sharepoint\.com\/sites\/Marketing\? \(HTTP 404/,
    ],
    [
      "https://contoso.sharepoint.com/sites/TestTaem/x",
      /; did you mean site:contoso\.sharepoint\.com\/sites\/TestTeam\? \(HTTP 404/,
    ],
    [
      "site:contoso.sharepoint.com/sites/Zoology",
      /sites\/Zoology: it does not exist[^?]*; look for its name with/,
    ],
    [
      "drive:Documnts/x",
      /no drive here is called Documnts; did you mean Documents\? there are: Documents \(b!/,
    ],
    ["team:Tset Team", /you are in no team called Tset Team; did you mean Test Team\? there are: /],
    [
      "https://contoso.sharepoint.com/sites/TestTeam/Shared%20Docments",
      /; did you mean Shared Documents\? it has the/,
    ],
  ];
  for (const [location, line] of cases) await refused(env, 3, line, ["ls", location]);
});
