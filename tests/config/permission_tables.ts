/** What SECURITY.md says of permissions, and permissions_test.ts proves. */

import { AZURE_VARIABLES } from "../../lib/app_settings.ts";
import { PERMISSION_SETS, type ScriptName } from "../../lib/cli/grants.ts";

const SCRIPTS = Object.keys(PERMISSION_SETS) as ScriptName[];

/** What a malicious package could try, and which scripts Deno lets do it. */
export const ATTACKS: Readonly<Record<string, { code: string; allowed: readonly ScriptName[] }>> = {
  "write a file outside of its folders": {
    code: "await Deno.writeTextFile(`${outside}/planted`, 'x')",
    allowed: [],
  },
  "write to the state folder": {
    code: "await Deno.writeTextFile(`${state}/planted`, 'x')",
    allowed: SCRIPTS,
  },
  "read /etc/passwd": { code: "await Deno.readTextFile('/etc/passwd')", allowed: ["put", "put-large"] },
  "read the shell's start-up files": {
    code: "await Deno.readTextFile(`${outside}/.bashrc`)",
    allowed: ["put", "put-large"],
  },
  "read the token cache": {
    code:
      "await Deno.readTextFile(Array.from(Deno.readDirSync(state)).map(({ name }) => `${state}/${name}`)[0])",
    allowed: SCRIPTS,
  },
  "connect to another host": { code: "await fetch('http://127.0.0.2:9/')", allowed: [] },
  "send data to Graph, in its own name": { code: "await fetch(graph)", allowed: SCRIPTS },
  "import a module from a host that Deno trusts": {
    code: "const name = 'https://jsr.io/@std/x/mod.ts'; await import(name)",
    allowed: [],
  },
  "import another npm package": { code: "const name = 'npm:left-pad'; await import(name)", allowed: [] },
  "start a program": { code: "await new Deno.Command('true').output()", allowed: [] },
  "load a library": { code: "Deno.dlopen('libc.so.6', {})", allowed: [] },
  "read other environment variables": {
    code: "if (Deno.env.get('AWS_SECRET_ACCESS_KEY') === undefined) throw new Error('not set')",
    allowed: [],
  },
};

/** Granted, but not asked for in the repertoire on this platform: why. */
export const NOT_ASKED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    AZURE_VARIABLES.map((name) => [name, "app-only sign-in, where no `GRAPH_` setting says who acts"]),
  ),
  "127.0.0.1:0": "sign-in with a browser listens there",
  APPDATA: "the config folder on Windows",
  LOCALAPPDATA: "the state folder on Windows",
};

/** Asked for, not granted, and read as if they were not set: by whom. */
export const IGNORED: Readonly<Record<string, string>> = {
  MSAL_FORCE_REGION: "the sign-in library",
  ProgramData: "the sign-in library, on Windows",
  ProgramFiles: "the sign-in library, on Windows",
  REGION_NAME: "the sign-in library, in Azure",
};
