/** The scripts bear each form in which the live service has been seen to answer. */

import { assertEquals } from "../assert.ts";
import { type ScriptName, startTestEnv } from "../test_env.ts";

const ACCOUNTS = [
  { as: "adele", tenant: "organizations", backEnd: "business" },
  { as: "robin", tenant: "consumers", backEnd: "personal" },
] as const;
const MIB = 1024 * 1024;
const NAME = "50% of it.docx";
const FOLDER = "Documents/100% new";

for (const olderForms of [false, true]) {
  for (const { as, tenant, backEnd } of ACCOUNTS) {
    const forms = olderForms ? "older" : "current";
    Deno.test(`scripts upload, resume, list and download in the ${forms} forms of ${backEnd}`, async () => {
      const signInAudience = "AzureADandPersonalMicrosoftAccount";
      await using env = await startTestEnv({ olderForms, signInAudience, signIn: false });
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
