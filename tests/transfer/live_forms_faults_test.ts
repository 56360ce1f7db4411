/** The scripts bear each form in which the live service has been seen to answer. */

import { assertEquals, assertMatch } from "../assert.ts";
import { faultTest, FOUR_FRAGMENTS } from "../campaign/fault_env.ts";
import { fastClock, type ScriptName, startTestEnv } from "../test_env.ts";

const ACCOUNTS = [
  { as: "adele", tenant: "organizations", backEnd: "business" },
  { as: "robin", tenant: "consumers", backEnd: "personal" },
] as const;
const MIB = 1024 * 1024;
const NAME = "50% of it.docx";
const FOLDER = "Documents/100% new";

for (const fault of [[], ["older-forms"]] as const) {
  for (const { as, tenant, backEnd } of ACCOUNTS) {
    const forms = fault[0] ?? "current forms";
    Deno.test(`scripts upload, resume, list and download: ${forms} of ${backEnd}`, async () => {
      const signInAudience = "AzureADandPersonalMicrosoftAccount";
      await using env = await startTestEnv({ fault, signInAudience, signIn: false });
      env.sandbox.user.signIn(as);
      const run = async (script: ScriptName, ...args: string[]) => {
        const variables = { GRAPH_TENANT_ID: tenant, GRAPH_SITE: "" };
        const { code, stdout, stderr } = await env.runWith({ env: variables }, script, ...args);
        assertEquals(code, 0, stderr);
        return stdout;
      };
      await run("whoami", "--prompt");
      const large = await env.file("large.bin", new Uint8Array(25 * MIB).fill(7));

      await run("put", "--parents", await env.file(NAME, "first"), `${FOLDER}/`);
      await run("put", await env.file(NAME, "second"), `${FOLDER}/`);
      env.sandbox.addFault("connection-cut-part-kept");
      await run("put-large", large, `${FOLDER}/`);
      const again = await run("put", "--if-changed", large, `${FOLDER}/`);
      const listed = await run("ls", FOLDER);
      await run("get", "-r", FOLDER, "back/");

      assertEquals(again, `unchanged ${FOLDER}/large.bin (25 MiB, verified)\n`);
      assertEquals(listed, `${NAME}\nlarge.bin\n`);
      assertEquals(await Deno.readTextFile(`${env.folder}/back/100% new/${NAME}`), "second");
      assertEquals((await Deno.stat(`${env.folder}/back/100% new/large.bin`)).size, 25 * MIB);
    });
  }
}

const FAST = { http: fastClock() };

faultTest(
  "forbidden-as-not-found",
  "ls and get report a hidden item as not found (exit code 3)",
  async (env) => {
    const { id } = env.sandbox.tenant.drive("megan");
    for (const path of ["Documents", "Documents/Private notes.txt"]) {
      const { code, stderr } = await env.run(path === "Documents" ? "ls" : "get", `drive:${id}/${path}`);
      assertEquals(code, 3, stderr);
      assertMatch(stderr, /not exist|not found/i);
    }
  },
);

faultTest("throttled-as-bad-request", "ls and put-large wait and try again", async (env) => {
  const listed = await env.run("ls", "General");
  const uploaded = await env.upload(FOUR_FRAGMENTS);
  assertEquals([listed.code, uploaded.code], [0, 0], uploaded.stderr);
  assertEquals(env.requests().filter(({ fault }) => fault).map(({ status }) => status), [429, 429, 429, 429]);
}, FAST);

faultTest(
  "fragment-conflict",
  "put-large requests the session's status and resends the fragment",
  async (env) => {
    const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
    assertEquals(code, 0, stderr);
    const story = [
      "create 200",
      "send 0 202",
      "send 1 416",
      "ask 200",
      "send 1 202",
      "send 2 202",
      "send 3 201",
    ];
    assertEquals(env.story(), story);
  },
  FAST,
);

faultTest(
  "precondition-not-allowed",
  "put-large reports a file that changed on the server (exit code 6)",
  async (env) => {
    const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
    assertEquals(code, 6, stderr);
    assertMatch(stderr, /changed on the server/);
  },
  FAST,
);
