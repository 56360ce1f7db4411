import { assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, startTestEnv } from "../test_env.ts";

Deno.test("put does not guess the library if the service does not say whether a folder has its name", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFolder("Documents", "Archive");
  env.sandbox.addFault({
    path: "root:/Archive?$select=id",
    status: 403,
    body: { error: { code: "accessDenied" } },
  });
  assertEquals((await env.run("put", await env.file("x.txt", "x"), "site:TestTeam/Archive/")).code, 5);
});

Deno.test("ls accepts a next link of null, rejects one that is not a URL, and a folder inside itself", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({
    path: "/children",
    rewrite: (response) => ({
      ...response,
      body: JSON.stringify({ ...JSON.parse(response.body as string), "@odata.nextLink": null }),
    }),
  });
  assertEquals((await env.run("ls", "General")).code, 0);
  env.sandbox.clearFaults();
  env.sandbox.addFault({ path: "/children", times: "always", patch: { "@odata.nextLink": "no url" } });
  assertEquals((await env.run("ls", "General")).code, 1);
  env.sandbox.clearFaults();
  const [folder] = jsonLines((await env.run("ls", "--json", "")).stdout).filter(({ name }) =>
    name === "General"
  );
  env.sandbox.addFault({
    path: "/children",
    times: "always",
    patch: { value: [{ id: folder!.id, name: "again", folder: {} }] },
  });
  const { code, stderr } = await env.run("ls", "-R", "General");
  assertEquals(code, 1);
  assertMatch(stderr, /folder inside itself/);
});

Deno.test("ls does not take the children of another folder for those that it asked for", async () => {
  await using env = await startTestEnv();
  const { driveId } = env.sandbox.tenant.find("Documents", "General")!;
  const parentReference = { driveId, id: "01OTHER", path: `/drives/${driveId}/root:/Generally` };
  const value = [{ id: "01CHILD", name: "foreign.txt", file: {}, size: 1, parentReference }];
  env.sandbox.addFault({ path: "root:/General:/children", times: "always", patch: { value } });

  const { code, stdout } = await env.run("ls", "General");

  assertEquals([code, stdout.split("\n")[0]], [0, "Agenda.md"]);
});
