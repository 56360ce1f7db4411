import { assertEquals } from "@std/assert";
import { type CachedAccount, contentOf, tokenIn } from "../lib/sign_in/cached_tokens.ts";

const NOW = 1_800_000_000;
const account: CachedAccount = {
  homeAccountId: "u.t",
  realm: "t",
  username: "a@b.c",
  name: undefined,
};
const query = { clientId: "c", environment: "login.windows.net", account, scopes: ["Files.Read.All"] };
const token = {
  client_id: "c",
  environment: "login.windows.net",
  home_account_id: "u.t",
  realm: "t",
  secret: "s",
  target: "Files.Read.All",
  cached_at: `${NOW}`,
  expires_on: `${NOW + 301}`,
};

function found(changes: Record<string, unknown>): boolean {
  const content = contentOf({ AccessToken: { x: { ...token, ...changes } } });
  return tokenIn(content ?? {}, query, NOW * 1000) !== undefined;
}

Deno.test("a cached token is used for as long as five minutes of its life are left", () => {
  assertEquals(found({}), true);
  assertEquals(found({ expires_on: `${NOW + 300}` }), false);
});

Deno.test("a token that MSAL has just stored is used although its time is rounded up", () => {
  assertEquals(found({ cached_at: `${NOW + 1}` }), true);
  assertEquals(found({ cached_at: `${NOW + 60}` }), false);
});

Deno.test("a token with more permissions serves, one with others does not", () => {
  for (
    const target of [
      "Files.ReadWrite.All",
      "https://graph.microsoft.us/files.read.all",
      "User.Read Files.Read.All",
    ]
  ) {
    assertEquals(found({ target }), true, target);
  }
  for (const target of ["Files.Read", "Files.ReadWrite", "Sites.Read.All", ""]) {
    assertEquals(found({ target }), false, target);
  }
});

Deno.test("whatever is odd about a cached token leaves it to MSAL", () => {
  const odd = [
    { secret: "" },
    { secret: 5 },
    { client_id: "d" },
    { realm: "other" },
    { home_account_id: "v.t" },
    { environment: "x" },
    { refresh_on: `${NOW - 1}` },
    { requestedClaims: "{}" },
    { expires_on: "soon" },
    { cached_at: undefined },
  ];
  for (const changes of odd) assertEquals(found(changes), false, JSON.stringify(changes));
});
