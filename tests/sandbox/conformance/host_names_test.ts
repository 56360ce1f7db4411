import { assertEquals, assertMatch, assertRejects } from "../../assert.ts";
import { request } from "node:https";
import { newCertificate } from "../login/certificate.ts";
import { type Sandbox, startSandbox } from "../mod.ts";

const SERVICE_NAMES = [
  ...["login.microsoftonline.com", "graph.microsoft.com", "contoso.sharepoint.com"],
  ...["contoso-my.sharepoint.com", "my.microsoftpersonalcontent.com", "graph.example.com"],
];
const AUTHORITY = newCertificate();

/** A sandbox with a certificate for its names. */
function start(publicPort?: number): Promise<Sandbox> {
  const { certificate: cert, privateKey: key } = newCertificate({ issuer: AUTHORITY, hosts: SERVICE_NAMES });
  const tls = { cert, key, hostNames: true, ...(publicPort !== undefined && { publicPort }) };
  return startSandbox({
    tls,
    approve: true,
    pendingPolls: 0,
    signInAudience: "AzureADandPersonalMicrosoftAccount",
  });
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  // deno-lint-ignore no-explicit-any
  json: any;
}

/** Sends a request as a client would whose hosts file leads to the sandbox. */
function send(
  sandbox: Sandbox,
  url: string,
  options: { method?: string; token?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { hostname, host, pathname, search } = new URL(url);
  const { method = "GET", token, body = "", headers } = options;
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{
        host: "127.0.0.1",
        port: sandbox.ports.graph,
        servername: hostname,
        ca: AUTHORITY.certificate,
        agent: false,
      },
      ...{ method, path: pathname + search },
      headers: { host, ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => text += part);
      response.on("end", () => {
        const isJson = String(response.headers["content-type"]).includes("json");
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text,
          json: isJson ? JSON.parse(text) : undefined,
        });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

Deno.test("sandbox with host names gives out URLs with the names of the service and the port", async () => {
  await using sandbox = await start();
  const port = sandbox.ports.graph;
  const token = sandbox.issueToken();
  assertEquals(sandbox.ports, { login: port, graph: port, storage: port });
  const get = (path: string, as = token) => send(sandbox, `${sandbox.apiOrigin}/v1.0${path}`, { token: as });

  const discovery = await send(
    sandbox,
    `${sandbox.loginOrigin}/common/v2.0/.well-known/openid-configuration`,
  );
  const page = await get("/me/drive/root/children?$top=1");
  const own = await get("/me/drive/root:/Documents/Letter.docx");
  const library = await get(`/drives/${sandbox.tenant.drive("Documents").id}/root:/General/Agenda.md`);
  const robin = await get("/me/drive/root:/Documents", sandbox.issueToken({ as: "robin" }));

  assertEquals(
    discovery.json.token_endpoint,
    `https://login.microsoftonline.com:${port}/common/oauth2/v2.0/token`,
  );
  assertMatch(page.json["@odata.nextLink"], new RegExp(`^https://graph\\.microsoft\\.com:${port}/v1\\.0/`));
  assertMatch(
    own.json["@microsoft.graph.downloadUrl"],
    new RegExp(`^https://contoso-my\\.sharepoint\\.com:${port}/`),
  );
  assertMatch(
    library.json["@microsoft.graph.downloadUrl"],
    new RegExp(`^https://contoso\\.sharepoint\\.com:${port}/`),
  );
  assertEquals(robin.status, 200, robin.text);
  assertEquals((await get(page.json["@odata.nextLink"].split("/v1.0")[1])).status, 200);
  const content = await send(sandbox, library.json["@microsoft.graph.downloadUrl"]);
  assertEquals(
    new TextEncoder().encode(content.text),
    await sandbox.tenant.bytes("Documents", "General/Agenda.md"),
  );
});

Deno.test("sandbox with host names uploads in the name of the drive's site", async () => {
  await using sandbox = await start(443);
  const session = await send(sandbox, `${sandbox.apiOrigin}/v1.0/me/drive/root:/a.txt:/createUploadSession`, {
    ...{ method: "POST", token: sandbox.issueToken(), body: "{}" },
    headers: { "content-type": "application/json", "content-length": "2" },
  });
  const { uploadUrl } = session.json;
  assertMatch(uploadUrl, /^https:\/\/contoso-my\.sharepoint\.com\/personal\/adelev_contoso_com\//);
  const stored = await send(sandbox, uploadUrl, {
    ...{ method: "PUT", body: "text" },
    headers: { "content-range": "bytes 0-3/4", "content-length": "4" },
  });
  assertEquals([stored.status, sandbox.tenant.find("me", "a.txt")?.size], [201, 4]);
});

Deno.test("sandbox with host names answers 421 to a name that it does not serve", async () => {
  await using sandbox = await start();
  const { status, json } = await send(sandbox, "https://graph.example.com/v1.0/me");
  assertEquals([status, json], [421, {
    error: 'no service of the sandbox has the name "graph.example.com"',
  }]);
  assertEquals(sandbox.requests, []);
});

Deno.test("sandbox with host names says which names lead to it", async () => {
  await using sandbox = await start();
  assertEquals(sandbox.hostsLines, [
    "127.0.0.1 login.microsoftonline.com graph.microsoft.com",
    "127.0.0.1 contoso-my.sharepoint.com my.microsoftpersonalcontent.com contoso.sharepoint.com",
  ]);
  await assertRejects(() => send(sandbox, "https://login.example.com/"));
});
