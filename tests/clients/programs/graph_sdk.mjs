/** Files in OneDrive with Microsoft's SDK for JavaScript: graph_sdk.mjs ACTION [ARGUMENT…] */

import { existsSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { createWriteStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DeviceCodeCredential } from "@azure/identity";
import graph from "@microsoft/microsoft-graph-client";
import azure from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const { BatchRequestContent, Client, FileUpload, LargeFileUploadTask, PageIterator } = graph;
const SIMPLE_UPLOAD = 4 * 1024 * 1024;
const FRAGMENT = 10 * 1024 * 1024;

const credential = new DeviceCodeCredential({
  clientId: process.env.GRAPH_CLIENT_ID,
  tenantId: process.env.GRAPH_TENANT_ID,
  userPromptCallback: ({ message }) => process.stderr.write(`${message}\n`),
});
const authProvider = new azure.TokenCredentialAuthenticationProvider(credential, {
  scopes: ["User.Read", "Files.ReadWrite.All"],
});
const client = Client.initWithMiddleware({ authProvider });

/** Returns true, which lets an iterator go on. */
const print = (line) => process.stdout.write(`${line}\n`) || true;
const address = (path) => `/me/drive/root:/${encodeURIComponent(path).replaceAll("%2F", "/")}`;

async function upload(local, path) {
  const bytes = await readFile(local);
  if (bytes.length <= SIMPLE_UPLOAD) {
    await client.api(`${address(path)}:/content`).header("Content-Type", "application/octet-stream").put(
      bytes,
    );
    return;
  }
  const state = "upload.json";
  const interrupted = existsSync(state) ? JSON.parse(readFileSync(state, "utf8")) : undefined;
  const item = { "@microsoft.graph.conflictBehavior": "replace", name: basename(path) };
  const session = interrupted ??
    await LargeFileUploadTask.createUploadSession(client, `${address(path)}:/createUploadSession`, { item });
  writeFileSync(state, JSON.stringify(session));
  const file = new FileUpload(bytes, basename(path), bytes.length);
  const task = new LargeFileUploadTask(client, file, session, { rangeSize: FRAGMENT });
  await (interrupted ? task.resume() : task.upload());
  unlinkSync(state);
}

const actions = {
  "sign-in": async () => void await client.api("/me").get(),
  async list(folder) {
    const page = await client.api(`${address(folder)}:/children`).select("name,size").top(100).get();
    await new PageIterator(client, page, ({ name }) => print(name)).iterate();
  },
  upload,
  async download(path, local) {
    await pipeline(await client.api(`${address(path)}:/content`).getStream(), createWriteStream(local));
  },
  async "upload-folder"(local, path) {
    for (const name of await readdir(local)) await upload(join(local, name), `${path}/${name}`);
  },
  /** As a batch, whose steps this release wants without the version (msgraph-sdk-javascript#1451). */
  async remove(path) {
    const request = new Request(`https://graph.microsoft.com${address(path)}`, { method: "DELETE" });
    const { responses } = await client.api("/$batch").post(
      await new BatchRequestContent([{ id: "1", request }]).getContent(),
    );
    if (responses[0].status !== 204) throw new Error(JSON.stringify(responses));
  },
  async move(from, to) {
    const { id } = await client.api(address(dirname(to))).get();
    await client.api(address(from)).update({ name: basename(to), parentReference: { id } });
  },
  async changes() {
    const known = existsSync("delta.json") ? JSON.parse(readFileSync("delta.json", "utf8")) : { names: {} };
    const page = await client.api(known.link ?? "/me/drive/root/delta").get();
    const iterator = new PageIterator(client, page, (item) => {
      // A deleted item may come without a name.
      known.names[item.id] = item.name ?? known.names[item.id];
      print(known.names[item.id]);
      return true;
    });
    await iterator.iterate();
    writeFileSync("delta.json", JSON.stringify({ ...known, link: iterator.getDeltaLink() }));
  },
};

const [action, ...args] = process.argv.slice(2);
await actions[action](...args);
