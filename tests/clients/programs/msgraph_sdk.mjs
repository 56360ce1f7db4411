/** Files in OneDrive with the SDK that Kiota generates: msgraph_sdk.mjs ACTION [ARGUMENT…] */

import { existsSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DeviceCodeCredential } from "@azure/identity";
import { AzureIdentityAuthenticationProvider } from "@microsoft/kiota-authentication-azure";
import {
  createUntypedNodeFromDiscriminatorValue,
  HttpMethod,
  RequestInformation,
} from "@microsoft/kiota-abstractions";
import { createGraphServiceClient, GraphRequestAdapter } from "@microsoft/msgraph-sdk";
import "@microsoft/msgraph-sdk-users";

const SIMPLE_UPLOAD = 4 * 1024 * 1024;
const FRAGMENT = 10 * 1024 * 1024;

const credential = new DeviceCodeCredential({
  clientId: process.env.GRAPH_CLIENT_ID,
  tenantId: process.env.GRAPH_TENANT_ID,
  userPromptCallback: ({ message }) => process.stderr.write(`${message}\n`),
});
const scopes = ["https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/Files.ReadWrite.All"];
const provider = new AzureIdentityAuthenticationProvider(
  credential,
  scopes,
  undefined,
  new Set(["graph.microsoft.com"]),
);
const adapter = new GraphRequestAdapter(provider);
const client = createGraphServiceClient(adapter);

/** Returns true, which lets an iterator go on. */
const print = (line) => process.stdout.write(`${line}\n`) || true;
const address = (path) => `/me/drive/root:/${encodeURIComponent(path).replaceAll("%2F", "/")}`;

/** The SDK has no builders for items by path: a request with its adapter. @returns the body as bytes */
async function send(method, path, body, type = "application/json", range = undefined) {
  const request = new RequestInformation(method);
  request.URL = path.startsWith("https:") ? path : `${adapter.baseUrl}${path}`;
  if (range !== undefined) request.headers.add("Content-Range", range);
  if (body !== undefined) request.setStreamContent(new Uint8Array(body).buffer, type);
  if (method === HttpMethod.DELETE) return await adapter.sendNoResponseContent(request, undefined);
  return await adapter.sendPrimitive(request, "ArrayBuffer", undefined);
}

async function sendJson(method, path, value) {
  const body = value === undefined ? undefined : new TextEncoder().encode(JSON.stringify(value));
  return JSON.parse(new TextDecoder().decode(await send(method, path, body)));
}

async function upload(local, path) {
  const bytes = await readFile(local);
  if (bytes.length <= SIMPLE_UPLOAD) {
    await send(HttpMethod.PUT, `${address(path)}:/content`, bytes, "application/octet-stream");
    return;
  }
  const state = "upload.json";
  const item = { "@microsoft.graph.conflictBehavior": "replace" };
  const interrupted = existsSync(state) ? JSON.parse(readFileSync(state, "utf8")) : undefined;
  const session = interrupted ??
    await sendJson(HttpMethod.POST, `${address(path)}:/createUploadSession`, { item });
  writeFileSync(state, JSON.stringify(session));
  const [next] = interrupted
    ? (await sendJson(HttpMethod.GET, session.uploadUrl)).nextExpectedRanges
    : ["0-"];
  // Its LargeFileUploadTask sends nothing to business drives: it takes the end of the open range "0-" as a number.
  for (let start = parseInt(next); start < bytes.length; start += FRAGMENT) {
    const fragment = bytes.subarray(start, start + FRAGMENT);
    const range = `bytes ${start}-${start + fragment.length - 1}/${bytes.length}`;
    await send(HttpMethod.PUT, session.uploadUrl, fragment, "application/octet-stream", range);
  }
  unlinkSync(state);
}

async function pages(first, take) {
  let page;
  for (let url = first; url; url = page["@odata.nextLink"]) {
    page = await sendJson(HttpMethod.GET, url);
    page.value.forEach(take);
  }
  return page["@odata.deltaLink"];
}

const actions = {
  async "sign-in"() {
    const { id } = await sendJson(HttpMethod.GET, "/me");
    const drive = await client.users.byUserId(id).drive.get();
    if (!drive?.id) throw new Error("the drive has no id");
  },
  list: (folder) =>
    pages(`${address(folder)}:/children?$select=name,size&$top=100`, ({ name }) => print(name)),
  upload,
  async download(path, local) {
    await writeFile(local, new Uint8Array(await send(HttpMethod.GET, `${address(path)}:/content`)));
  },
  async "upload-folder"(local, path) {
    for (const name of await readdir(local)) await upload(join(local, name), `${path}/${name}`);
  },
  remove: (path) => send(HttpMethod.DELETE, address(path)),
  async move(from, to) {
    const { id } = await sendJson(HttpMethod.GET, address(dirname(to)));
    await sendJson(HttpMethod.PATCH, address(from), { name: basename(to), parentReference: { id } });
  },
  async changes() {
    const known = existsSync("delta.json") ? JSON.parse(readFileSync("delta.json", "utf8")) : { names: {} };
    const link = await pages(known.link ?? "/me/drive/root/delta", (item) => {
      // A deleted item may come without a name.
      known.names[item.id] = item.name ?? known.names[item.id];
      print(known.names[item.id]);
    });
    writeFileSync("delta.json", JSON.stringify({ ...known, link }));
  },
};

const [action, ...args] = process.argv.slice(2);
await actions[action](...args);
