/** What is redacted, and what is not. */

import { assertEquals, assertMatch } from "../assert.ts";
import { redact, safeIdentifier, shownTarget } from "../../lib/http/redact.ts";
import { startTestEnv } from "../test_env.ts";

const JWT = `eyJ0eXAiOiJKV1QifQ.${"eyJhdWQiOiIwMDAw".repeat(5)}.${"Sig-nature_1".repeat(5)}`;
const OPAQUE = "EwB4A8l6BAAUO9chh8cJscQLmU+LSWpbnr0vmwwAAQ9aZ/3Gk2nd";

Deno.test("redact() removes secrets from messages", () => {
  const cases = {
    [`token ${JWT} is bad`]: "token … is bad",
    [`Bearer abc.def~1 is bad`]: "Bearer … is bad",
    [`authorization:Bearer%20abc`]: "authorization:Bearer …",
    [`got ${OPAQUE}, sorry`]: "got …, sorry",
    "PUT https://h/x?tempauth=v1.a.b failed": "PUT … failed",
    "PUT https%3A%2F%2Fh%2Fx%3Ftempauth%3Dabc failed": "PUT … failed",
    "see /x/y?tempauth=abc&z": "see /x/y?…",
    "tempauth=abc&x=1": "tempauth=…&x=1",
    '{"refresh_token": "abc", "n": 1}': '{"refresh_token=…", "n": 1}',
    "device_code%3Dabc": "device_code=…",
    "sig: abc": "sig=…",
    [String.raw`{"uploadUrl":"https:\/\/h.example\/x?guid='SECRET'&tempauth=SECRET`]: '{"uploadUrl":"…',
    [String.raw`{"uploadUrl":"https:\u002f\u002fh.example\u002fSECRET`]: '{"uploadUrl":"…',
    [String.raw`{\"uploadUrl\":\"https:\\/\\/h.example\\u002FSECRET`]: String.raw`{\"uploadUrl\":\"…`,
    [String.raw`dc=0\u0026tempauth=SECRET`]: "dc=0&tempauth=…",
    [String.raw`dc=0\\u0026tempauth\\u003dSECRET`]: "dc=0&tempauth=…",
    "guid='SECRET'&x": "guid=…'&x",
    "guid=%27SECRET%27&x": "guid=…&x",
    "uploadSession?guid='SECRET'&overwrite=true": "uploadSession?…",
    "GET https:/h.example/SECRET": "GET …",
    "GET https:": "GET …",
    "://h.example/SECRET": "…",
    "link //h.example/SECRET": "link …",
    "%3A%2F%2Fh.example%2FSECRET": "…",
    "two\r\nlines\tand\n more": "two lines and more",
  };
  for (const [text, expected] of Object.entries(cases)) assertEquals(redact(text), expected, text);
});

Deno.test("redact() leaves names, ids and error codes", () => {
  for (
    const text of [
      "The name 'a b.txt' is already in use, and item 01HW2BH5P6FM5JSMRWZJDYFY6QYWVD2KI6 has it.",
      "AADSTS50105: The signed in user is not assigned to a role for b1a7e2c4-5d3f-4e86-9a0b-c7d8e9f01234(app).",
      "Microsoft.SharePoint.Client.ResourceNotFoundException",
      "client error (Connect): dns error: failed to lookup address information: Name or service not known",
    ]
  ) assertEquals(redact(text), text);
});

Deno.test("safeIdentifier() returns codes and ids, and undefined for anything else", () => {
  for (const word of ["nameAlreadyExists", "AADSTS65001", "-1, Microsoft.SharePoint.Client.X", "a1b2-c3"]) {
    assertEquals(safeIdentifier(word), word);
  }
  for (
    const text of [JWT, OPAQUE, "", "a\nb", "tempauth=x", "https://h/x", "x".repeat(101), 5, undefined, {}]
  ) {
    assertEquals(safeIdentifier(text), undefined, String(text));
  }
});

Deno.test("shownTarget() omits the query and a secret path", () => {
  assertEquals(shownTarget("https://h:8443/a%20b/c?tempauth=x#y", false), "h:8443/a%20b/c");
  assertEquals(shownTarget("https://h/a/b?tempauth=x", true), "h/…");
  assertEquals(shownTarget("https://name:word@h/a", false), "h/a");
  assertEquals(shownTarget(`https://h/v1.0/${JWT}/x`, false), "h/v1.0/…/x");
  const drive = `b!${"XLGieBWPGkS7Bc37".repeat(4)}`;
  assertEquals(shownTarget(`https://h/v1.0/drives/${drive}/root`, false), `h/v1.0/drives/${drive}/root`);
  assertMatch(shownTarget(`https://h/${"a1B2".repeat(40)}`, false), /^h\/…$/);
});

Deno.test("put-large does not print secrets that a gateway repeats", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({
    service: "storage",
    method: "PUT",
    status: 400,
    body: "Cannot PUT https://h/x?tempauth=SECRET1 nor /x?tempauth=SECRET2&a=b nor sig=SECRET3",
  });
  const { code, stderr } = await env.run("put-large", await env.file("a.bin", "a"), "General/");
  assertEquals(code, 1);
  assertEquals(/SECRET/.test(stderr), false, stderr);
});
