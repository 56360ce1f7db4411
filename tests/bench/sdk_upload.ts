/**
 * The same upload with Microsoft's Graph SDK: `LargeFileUploadTask` with ranges of 10 MiB, from a file.
 *
 * @module
 */
import {
  Client,
  FileUpload,
  LargeFileUploadTask,
  type LargeFileUploadTaskOptions,
} from "npm:@microsoft/microsoft-graph-client@3.0.7";

const origin = Deno.env.get("GRAPH_API_ORIGIN")!;
const bytes = await Deno.readFile(Deno.args[0]!);
// The SDK accepts only https, so the sandbox stands in for the real hosts.
const hosts: [string, string][] = [
  ["https://graph.microsoft.com", origin],
  ["https://contoso.sharepoint.com", `http://${Deno.env.get("GRAPH_STORAGE_HOSTS")}`],
];
const direct = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const [real, loopback] = hosts.find(([name]) => String(input).startsWith(name))!;
  return direct(String(input).replace(real, loopback), init);
};
const client = Client.init({ authProvider: (done) => done(null, Deno.env.get("GRAPH_ACCESS_TOKEN")!) });
const created = await fetch("https://graph.microsoft.com/v1.0/me/drive/root:/sdk.bin:/createUploadSession", {
  method: "POST",
  headers: {
    authorization: `Bearer ${Deno.env.get("GRAPH_ACCESS_TOKEN")!}`,
    "content-type": "application/json",
  },
  body: JSON.stringify({ item: { "@microsoft.graph.conflictBehavior": "replace" } }),
});
const { uploadUrl, expirationDateTime } = await created.json();
const session = {
  url: uploadUrl.replace(hosts[1]![1], hosts[1]![0]),
  expiry: new Date(expirationDateTime),
  isCancelled: false,
};
const options: LargeFileUploadTaskOptions = { rangeSize: 10 * 1024 * 1024 };
const file = new FileUpload(bytes.buffer as ArrayBuffer, "sdk.bin", bytes.length);
await new LargeFileUploadTask(client, file, session, options).upload();
