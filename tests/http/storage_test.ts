import { assertEquals } from "../assert.ts";
import { CLOUDS } from "../../lib/clouds.ts";
import { StorageClient } from "../../lib/graph/storage.ts";
import { HttpClient } from "../../lib/http/client.ts";

Deno.test("StorageClient accepts https URLs of storage hosts, and listed loopback hosts (PROTOCOL 15b)", () => {
  const storage = new StorageClient(new HttpClient(), [...CLOUDS.global.storageHosts, "127.0.0.1:8080"]);
  const cases: [string, boolean][] = [
    ["https://contoso.sharepoint.com/x", true],
    ["https://a.b.sharepoint.com/x", true],
    ["https://my.microsoftpersonalcontent.com/x", true],
    ["https://x.up.1drv.com/y", true],
    ["http://127.0.0.1:8080/x", true],
    ["http://contoso.sharepoint.com/x", false],
    ["https://sharepoint.com.evil.example/x", false],
    ["https://evilsharepoint.com/x", false],
    ["https://contoso.sharepoint.com:8443/x", false],
    ["https://contoso.sharepoint.com@evil.example/x", false],
    ["http://127.0.0.1:8081/x", false],
    ["https://graph.microsoft.com/x", false],
    ["ftp://contoso.sharepoint.com/x", false],
    ["not a url", false],
  ];
  for (const [url, accepted] of cases) {
    let checked = true;
    try {
      storage.check(url);
    } catch {
      checked = false;
    }
    assertEquals([storage.accepts(url), checked], [accepted, accepted], url);
  }
});
