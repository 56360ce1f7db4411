/** The OneDrive client for Linux (abraunegg), from Debian: everything is a synchronization of one folder. */

import { dirname, join } from "../../lib/std.ts";
import { approveInBrowser } from "./browser.ts";
import type { Actions, Client, Workplace } from "./client.ts";
import { NATIVE_CLIENT } from "./service_names.ts";

/** A synchronization client; it signs in with a browser and the address for desktop apps. */
export const onedrive: Client = {
  name: "onedrive",
  packages: { debian: ["onedrive", "libphobos2-ldc-shared100", "libnotify4"] },
  sandbox: { olderForms: true }, // it takes an item in a folder only with a path
  drive: "me",
  resumes: true,
  actions,
};

function actions({ sandbox, folder, run }: Workplace): Actions {
  const [config, files] = [join(folder, "config"), join(folder, "files")];
  const local = (path: string) => join(files, path);
  let modified = Math.floor(Date.now() / 1000) - 3600;
  const onedrive = (...args: string[]) => run("onedrive", ["--confdir", config, "--syncdir", files, ...args]);
  const synchronize = () => onedrive("--verbose", "--verbose", "--synchronize", "--disable-notifications");
  const names = async () =>
    new Set((await Array.fromAsync(Deno.readDir(local("Rehearsal")))).map(({ name }) => name));
  return {
    async signIn() {
      for (const path of [config, files]) await Deno.mkdir(path);
      await Deno.writeTextFile(
        join(config, "config"),
        `application_id = "${sandbox.env["GRAPH_CLIENT_ID"]}"\n`,
      );
      const [question, answer] = [join(folder, "page.txt"), join(folder, "answer.txt")];
      const signedIn = onedrive("--auth-files", `${question}:${answer}`, "--display-sync-status");
      const page = await whenWritten(question, signedIn);
      await Deno.writeTextFile(answer, await approveInBrowser(page, NATIVE_CLIENT));
      await signedIn;
    },
    async list() {
      await synchronize();
      return [...await names()];
    },
    async upload(file, path) {
      await Deno.copyFile(file, local(path));
      // It looks at whole seconds only, and these are shorter.
      await Deno.utime(local(path), ++modified, modified);
      await synchronize();
    },
    async download(path, file) {
      await synchronize();
      await Deno.copyFile(local(path), file);
    },
    async uploadFolder(from, path) {
      await Deno.mkdir(local(path));
      for await (const { name } of Deno.readDir(from)) {
        await Deno.copyFile(join(from, name), local(`${path}/${name}`));
      }
      await synchronize();
    },
    async remove(path) {
      await Deno.remove(local(path));
      await synchronize();
    },
    async move(from, to) {
      await Deno.mkdir(dirname(local(to)), { recursive: true });
      await Deno.rename(local(from), local(to));
      await synchronize();
    },
    async changes() {
      const before = await names();
      await synchronize();
      return [...before.symmetricDifference(await names())];
    },
  };
}

/** What a program has written into a file, which it writes while it runs. */
async function whenWritten(path: string, running: Promise<unknown>): Promise<string> {
  let ended = false;
  running.catch(() => {}).finally(() => ended = true);
  while (!ended) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text !== "") return text.trim();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await running;
  throw new Error(`it has not written ${path}`);
}
