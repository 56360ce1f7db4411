import { assertEquals } from "@std/assert";
import { type CachedAccount, TokenCache } from "../lib/token_cache.ts";

const NOW = 1_800_000_000;
const account: CachedAccount = { homeAccountId: "u.t", realm: "t", username: "a@b.c", name: undefined };
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

async function found(changes: Record<string, unknown>): Promise<boolean> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, JSON.stringify({ AccessToken: { x: { ...token, ...changes } } }));
    return await new TokenCache(path, () => NOW * 1000, () => {}).find(query) !== undefined;
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a cached token is used for as long as five minutes of its life are left", async () => {
  assertEquals(await found({}), true);
  assertEquals(await found({ expires_on: `${NOW + 300}` }), false);
});

Deno.test("a token that MSAL has just stored is used although its time is rounded up", async () => {
  assertEquals(await found({ cached_at: `${NOW + 1}` }), true);
  assertEquals(await found({ cached_at: `${NOW + 60}` }), false);
});

Deno.test("a token with more permissions serves, one with others does not", async () => {
  for (
    const target of [
      "Files.ReadWrite.All",
      "https://graph.microsoft.us/files.read.all",
      "User.Read Files.Read.All",
    ]
  ) {
    assertEquals(await found({ target }), true, target);
  }
  for (const target of ["Files.Read", "Files.ReadWrite", "Sites.Read.All", ""]) {
    assertEquals(await found({ target }), false, target);
  }
});

Deno.test("whatever is odd about a cached token leaves it to MSAL", async () => {
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
  for (const changes of odd) assertEquals(await found(changes), false, JSON.stringify(changes));
});
