/** Tenants of one's own, and the profile of a personal account. */

import { assertEquals, assertMatch, assertRejects } from "../../assert.ts";
import { join } from "node:path";
import { block } from "../../docs/markdown.ts";
import { denoRun, ROOT, runProcess } from "../../test_env.ts";
import { startSandbox } from "../mod.ts";
import { parseTenant, type TenantData, TenantDataError } from "../tenant/tenant_data.ts";
import { graphOf, send } from "./testing.ts";
import { runSandbox, runUntilReady } from "./testing_command.ts";

const EXAMPLE = block("tests/sandbox/README.md", "json", '"fabrikam.com"');

function namesOf(
  reply: { json: { value: { name?: string; displayName?: string }[] } },
): (string | undefined)[] {
  return reply.json.value.map(({ name, displayName }) => name ?? displayName);
}

Deno.test("a tenant has the people, sites, teams and files of its data", async () => {
  const tenant = parseTenant(EXAMPLE);
  await using sandbox = await startSandbox({ tenant, signInAudience: "AzureADandPersonalMicrosoftAccount" });
  assertEquals(sandbox.env["GRAPH_SITE"], "fabrikam.sharepoint.com/sites/Design");
  const graph = graphOf(sandbox);
  const me = (await graph("GET", "/me")).json;
  assertEquals([me.displayName, me.mail, me.surname], ["Ines Brandt", "ines@fabrikam.com", "Brandt"]);
  assertEquals(namesOf(await graph("GET", "/me/drive/root/children")), ["Notes.txt"]);
  const site = (await graph("GET", "/sites/fabrikam.sharepoint.com:/sites/Design")).json;
  assertEquals(namesOf(await graph("GET", `/sites/${site.id}/drives`)), ["Documents", "Old work"]);
  const general = await graph("GET", `/sites/${site.id}/drive/root:/General:/children`);
  assertEquals(
    general.json.value.map((item: Record<string, unknown>) => [item.name, item.size, "package" in item]),
    [["Brief.docx", 20_000, false], ["Film.mp4", 50_000_000, false], ["Ideas", 0, false], [
      "Notebook",
      0,
      true,
    ]],
  );
  const film = general.json.value[1];
  const bytes = await send(film["@microsoft.graph.downloadUrl"], { headers: { range: "bytes=49999990-" } });
  assertEquals([bytes.status, bytes.headers.get("content-length")], [206, "10"]);
  assertEquals(film.file.hashes.quickXorHash.length, 28);
  const [team] = (await graph("GET", "/me/joinedTeams")).json.value;
  assertEquals(namesOf(await graph("GET", `/teams/${team.id}/channels`)), ["General", "Plans"]);
  const kim = (await graphOf(sandbox, { as: "kim" })("GET", "/me/drive")).json;
  assertMatch(kim.id, /^[\da-f]{16}$/);
});

Deno.test("a tenant's members write, visitors read, and others do not see a site", async () => {
  const tenant: TenantData = {
    people: {
      ada: { name: "Ada One", files: { "Plan": { shortcut: "Site A/Documents/Plan" } } },
      ben: { name: "Ben Two" },
      cem: { name: "Cem Three", account: "guest", mail: "cem@elsewhere.test" },
    },
    sites: {
      "Site A": { owners: ["ada"], visitors: ["ben"], libraries: { Documents: { "Plan/": null } } },
      Home: { path: "" },
    },
  };
  await using sandbox = await startSandbox({ tenant });
  const statuses = [];
  for (const as of ["ada", "ben", "cem"]) {
    const graph = graphOf(sandbox, { as });
    const path = "/sites/contoso.sharepoint.com:/sites/SiteA:/drive/root:/x.txt:/content";
    statuses.push([
      (await graph("GET", path.replace("/x.txt:/content", "/Plan"))).status,
      (await graph("PUT", path, "x")).status,
    ]);
  }
  assertEquals(statuses, [[200, 201], [200, 403], [403, 403]]);
  const [plan] = (await graphOf(sandbox)("GET", "/me/drive/root/children")).json.value;
  assertEquals(plan.remoteItem.name, "Plan");
});

Deno.test("mistakes in a tenant are named with their place", async () => {
  const person = { name: "Ada One" };
  const mistakes: [data: unknown, message: string][] = [
    [[], "the tenant: not an object"],
    [{}, "the tenant: people is missing"],
    [{ people: { ada: {} } }, 'people["ada"]: name is missing'],
    [{ people: { ada: { name: "" } } }, 'people["ada"].name: not a name'],
    [{ people: { "a b": person } }, 'people["a b"]: not a short name of letters, digits, dots and hyphens'],
    [{ people: { ada: { ...person, account: "personal" } } }, "people: nobody has a work account"],
    [{ people: { ada: person, ben: { ...person, account: "guest" } } }, 'people["ben"]: a guest needs mail'],
    [{ people: { ada: person }, site: {} }, "site: unknown; there are people, domain, sites, teams"],
    [
      { people: { ada: { ...person, files: { "a/": "x" } } } },
      'people["ada"].files["a/"]: a folder takes null',
    ],
    [
      { people: { ada: { ...person, files: { a: null } } } },
      'people["ada"].files["a"]: null is for folders, name/',
    ],
    [{ people: { ada: { ...person, files: { a: -1 } } } }, 'people["ada"].files["a"]: not a size in bytes'],
    [
      { people: { ada: { ...person, files: { a: {} } } } },
      'people["ada"].files["a"]: not a text, a size, a notebook or a shortcut',
    ],
    [
      { people: { ada: { ...person, files: { "a//b": 1 } } } },
      'people["ada"].files["a//b"]: The path is not valid.',
    ],
    [{ people: { ada: person }, sites: { A: { owners: "ada" } } }, 'sites["A"].owners: not a list'],
    [
      { people: { ada: person }, sites: { A: { owners: ["eve"] } } },
      'sites["A"].owners[0]: there is no person eve',
    ],
    [{ people: { ada: person }, teams: { T: { site: "A" } } }, 'teams["T"].site: there is no site A'],
  ];
  for (const [data, message] of mistakes) {
    const parse = () => Promise.try(() => parseTenant(JSON.stringify(data)));
    const error = await assertRejects(parse);
    assertEquals([error instanceof TenantDataError, (error as Error).message], [true, message]);
  }
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const file = join(folder, "tenant.json");
    await Deno.writeTextFile(file, "{}");
    const { code, stderr } = await runSandbox(["--tenant", file]);
    assertEquals([code, stderr], [
      2,
      `sandbox: --tenant ${file}: the tenant: people is missing (try --help)\n`,
    ]);
    await Deno.writeTextFile(file, JSON.stringify({ people: { ada: person } }));
    const personal = await runSandbox(["--tenant", file, "--personal"]);
    assertEquals([personal.code, personal.stderr], [2, "sandbox: people: nobody has a personal account\n"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sandbox command --personal refuses app-only sign-in", async () => {
  const { code, stdout, stderr } = await runSandbox(["--personal", "--app"]);

  assertEquals([code, stdout, stderr], [
    2,
    "",
    "sandbox: --app cannot be used with --personal: app-only sign-in needs an organization (try --help)\n",
  ]);
});

Deno.test("sandbox command --tenant and --personal lead the scripts to their files", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const file = join(folder, "tenant.json");
    await Deno.writeTextFile(file, EXAMPLE);
    const script = (env: Record<string, string>, name: string, ...args: string[]) =>
      runProcess([...denoRun("-A", join(ROOT, "scripts", `${name}.ts`)), ...args], { env });
    await runUntilReady(["--approve", "--tenant", file], "SIGINT", async (env) => {
      assertMatch((await script(env, "whoami", "--prompt")).stdout, /Ines Brandt/);
      assertMatch((await script(env, "ls", "General")).stdout, /^Film\.mp4$/m);
      const { code, stderr } = await script(env, "ls", "team:Design/Plans");
      assertEquals(code, 3);
      assertMatch(stderr, /channelNotReady/);
    });
    await runUntilReady(["--approve", "--personal"], "SIGINT", async (env) => {
      assertEquals([env["GRAPH_TENANT_ID"], env["GRAPH_SITE"]], ["consumers", undefined]);
      assertMatch((await script(env, "whoami", "--prompt")).stdout, /Robin Hale/);
      assertMatch((await script(env, "ls", "me:Documents")).stdout, /^Shopping list\.txt$/m);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
