import { assertEquals } from "../assert.ts";
import { parseClaimsChallenge, parseErrorBody } from "../../lib/graph/errors.ts";

Deno.test("parseErrorBody() reads every shape of error body (PROTOCOL 9a)", () => {
  const graph = parseErrorBody(
    JSON.stringify({
      error: {
        code: "a",
        message: "m",
        innerError: { code: "b", innererror: { code: "c" } },
      },
    }),
  );
  assertEquals(graph, { codes: ["a", "b", "c"], message: "m" });
  for (
    const odd of [
      "",
      "429 TOO MANY REQUESTS",
      "<html></html>",
      "null",
      "[]",
      "3",
      '"x"',
      '{"error":"text"}',
      '{"error":{}}',
    ]
  ) {
    assertEquals(parseErrorBody(odd).codes, []);
  }
});

Deno.test("parseClaimsChallenge() decodes base64 and base64url, padded or not", () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1702682181"}}}';
  const header = (value: string) =>
    parseClaimsChallenge(
      new Headers({ "www-authenticate": `Bearer realm="", error="insufficient_claims", claims="${value}"` }),
    );
  assertEquals(header(btoa(claims)), claims);
  assertEquals(header(btoa(claims).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_")), claims);
  assertEquals(header("!!"), undefined);
  assertEquals(parseClaimsChallenge(new Headers()), undefined);
});
