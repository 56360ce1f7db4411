import { assert, assertEquals, assertMatch } from "@std/assert";
import { bench, jsonLines, noise } from "./harness.ts";

const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
const CHALLENGE = {
  status: 401,
  headers: {
    "www-authenticate":
      `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="${
        btoa(CLAIMS)
      }"`,
  },
  body: { error: { code: "InvalidAuthenticationToken", message: "TokenCreatedWithOutdatedPolicies" } },
};

Deno.test("a demand that meets an expired token first is answered all the same, with two renewals at the most", async () => {
  await using b = await bench();
  assertEquals((await b.run("ls", "General")).code, 0);
  b.sandbox.expireAccessTokens();
  b.sandbox.addFault({ service: "graph", ...CHALLENGE, nth: 2 });
  const before = b.sandbox.requests.length;
  const { code, stderr } = await b.run("ls", "General");
  assertEquals(code, 0, stderr);
  const renewals = b.sandbox.requests.slice(before).filter(({ path }) => path.includes("/oauth2/v2.0/token"));
  assertEquals(renewals.length, 2);
});

Deno.test("a service that demands for ever is no loop", async () => {
  await using b = await bench();
  b.sandbox.addFault({ service: "graph", ...CHALLENGE, times: "always" });
  const before = b.sandbox.requests.length;
  const { code, stderr } = await b.run("ls", "General");
  assertEquals(code, 4, stderr);
  const sent = b.sandbox.requests.slice(before);
  assert(sent.filter(({ service }) => service === "graph").length <= 3, `${sent.length} requests`);
  assert(sent.filter(({ path }) => path.includes("/oauth2/v2.0/token")).length <= 2);
});

Deno.test("a demand in the middle of a listing or an upload is answered silently, and nothing is lost", async () => {
  await using b = await bench();
  b.sandbox.addFault({ service: "graph", path: "skiptoken", ...CHALLENGE });
  const { code, stdout, stderr } = await b.run("ls", "Thousand");
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).length, 1000);
  const content = noise(3 * 327_680);
  b.sandbox.addFault({ service: "graph", path: "createUploadSession", ...CHALLENGE });
  const upload = await b.run("put-large", "--json", await b.file("a.bin", content), "General/");
  assertEquals(upload.code, 0, upload.stderr);
  assertEquals(await b.sandbox.tenant.bytes("Documents", "General/a.bin"), content);
  assertEquals(jsonLines(upload.stdout)[0]!.verdict, "same");
});

Deno.test("a demand that only a person can answer: exit code 4 unattended, a device code with the claims otherwise", async () => {
  await using b = await bench();
  b.sandbox.addFault("claims-challenge-needs-person");
  const unattended = await b.run("ls", "General");
  assertEquals(unattended.code, 4, unattended.stderr);
  assertMatch(unattended.stderr, /whoami\.ts/);
  const before = b.sandbox.requests.length;
  const attended = await b.run("ls", "--prompt", "General");
  assertEquals(attended.code, 0, attended.stderr);
  assertEquals(b.sandbox.requests.slice(before).filter(({ path }) => path.includes("devicecode")).length, 1);
});
