/**
 * The same transfers by other tools.
 *
 * @module
 */
import { join } from "../../lib/std.ts";
import { denoRun, ROOT, type TestEnv } from "../test_env.ts";
import { isInstalled, measure, type Measured } from "./measure.ts";

/** Another tool that does the same. */
export interface Tool {
  name: string;
  isInstalled(): Promise<boolean>;
  run(): Promise<Measured>;
}

const FRAGMENT_BYTES = 10 * 1024 * 1024;

/** Fragments in a loop, each sent by curl. */
const CURL_UPLOAD = `
set -e
size=$(stat -c %s "$1")
created=$(curl -sS -X POST -H "Authorization: Bearer $GRAPH_ACCESS_TOKEN" -H "Content-Type: application/json" \\
  -d '{"item":{"@microsoft.graph.conflictBehavior":"replace"}}' \\
  "$GRAPH_API_ORIGIN/v1.0/me/drive/root:/curl.bin:/createUploadSession")
url=$(printf %s "$created" | sed 's/.*"uploadUrl":"\\([^"]*\\)".*/\\1/')
for ((at = 0; at < size; at += ${FRAGMENT_BYTES})); do
  end=$((at + ${FRAGMENT_BYTES} < size ? at + ${FRAGMENT_BYTES} : size))
  dd if="$1" bs=${FRAGMENT_BYTES} skip=$((at / ${FRAGMENT_BYTES})) count=1 status=none |
    curl -sS --fail -o /dev/null -X PUT -H "Content-Type: application/octet-stream" -H "Expect:" \\
      -H "Content-Range: bytes $at-$((end - 1))/$size" --data-binary @- "$url"
done`;

/** As tutorials write it: one connection, fragment after fragment. */
const PYTHON_UPLOAD = `
import os, sys, requests
path, api, token = sys.argv[1], os.environ["GRAPH_API_ORIGIN"], os.environ["GRAPH_ACCESS_TOKEN"]
session = requests.Session()
created = session.post(api + "/v1.0/me/drive/root:/python.bin:/createUploadSession",
    headers={"Authorization": "Bearer " + token},
    json={"item": {"@microsoft.graph.conflictBehavior": "replace"}})
url, size = created.json()["uploadUrl"], os.path.getsize(path)
with open(path, "rb") as file:
    at = 0
    while at < size:
        data = file.read(${FRAGMENT_BYTES})
        headers = {"Content-Range": f"bytes {at}-{at + len(data) - 1}/{size}"}
        session.put(url, data=data, headers=headers).raise_for_status()
        at += len(data)
`;

export function curlUpload(env: TestEnv, path: string): Tool {
  return {
    name: "curl",
    isInstalled: () => isInstalled("bash", "-c", "curl --version && stat -c %s /"),
    run: () => measure(["bash", "-c", CURL_UPLOAD, "bash", path], variables(env), env.folder),
  };
}

export function pythonUpload(env: TestEnv, path: string): Tool {
  return {
    name: "Python requests",
    isInstalled: () => isInstalled("python3", "-c", "import requests"),
    run: () => measure(["python3", "-c", PYTHON_UPLOAD, path], variables(env), env.folder),
  };
}

/** `LargeFileUploadTask` of Microsoft's Graph SDK. */
export function sdkUpload(env: TestEnv, path: string): Tool {
  const program = new URL("sdk_upload.ts", import.meta.url).href;
  const command = denoRun(`--lock=${join(ROOT, "tests", "deno.lock")}`, "-A", program, path);
  return {
    name: "Graph JS SDK",
    isInstalled: () => Promise.resolve(true),
    run: () => measure(command, variables(env), env.folder),
  };
}

export function curlDownload(env: TestEnv, drive: string, path: string): Tool {
  const { driveId, id } = env.sandbox.tenant.find(drive, path)!;
  const url = `${env.sandbox.apiOrigin}/v1.0/drives/${driveId}/items/${id}/content`;
  const authorization = `Authorization: Bearer ${env.sandbox.issueToken()}`;
  return {
    name: "curl",
    isInstalled: () => isInstalled("curl", "--version"),
    run: () =>
      measure(
        ["curl", "-sS", "--fail", "-L", "-H", authorization, "-o", "curl.bin", url],
        variables(env),
        env.folder,
      ),
  };
}

function variables({ sandbox }: TestEnv): Record<string, string> {
  return { ...sandbox.env, GRAPH_ACCESS_TOKEN: sandbox.issueToken() };
}
