/** What SECURITY.md says of permissions, and permissions_test.ts proves. */

import { PERMISSION_SETS, type ScriptName } from "../../lib/cli/grants.ts";

const SCRIPTS = Object.keys(PERMISSION_SETS) as ScriptName[];

/** What a malicious package could try, and which scripts Deno lets do it. */
export const ATTACKS: Readonly<Record<string, { code: string; allowed: readonly ScriptName[] }>> = {
  "write a file outside of its folders": {
    code: "await Deno.writeTextFile(`${outside}/planted`, 'x')",
    allowed: [],
  },
  "write there through a symlink that it makes": {
    code:
      "await Deno.symlink(outside, `${state}/link`); await Deno.writeTextFile(`${state}/link/planted`, 'x')",
    allowed: [],
  },
  "write there through a symlink that is in one": {
    code: "await Deno.writeTextFile(`${state}/elsewhere/planted`, 'x')",
    allowed: SCRIPTS,
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
      "const { name } = Array.from(Deno.readDirSync(state)).find(({ name }) => name.startsWith('tokens-')); await Deno.readTextFile(`${state}/${name}`)",
    allowed: SCRIPTS,
  },
  "keep data in Deno's cache folder (localStorage)": {
    code: "localStorage.setItem('planted', 'x'); localStorage.removeItem('planted')",
    allowed: SCRIPTS,
  },
  "connect to another host, or another port of this machine": {
    code: [
      "const net = await import('node:net'), { port, hostname } = new URL(other);",
      "const byNode = new Promise((resolve, reject) => {",
      "  net.connect(port, hostname).on('connect', resolve).on('error', reject);",
      "});",
      "const bySocket = new Promise((resolve, reject) => {",
      "  Object.assign(new WebSocket(other), { onopen: resolve, onerror: reject });",
      "});",
      "await Promise.any([fetch(other), Deno.connect({ port: Number(port), hostname }), byNode, bySocket]);",
    ].join(" "),
    allowed: [],
  },
  "look up the address of another host": {
    code: "await (await import('node:dns/promises')).lookup('localhost')",
    allowed: [],
  },
  "listen on a free port of this machine": {
    code: "Deno.listen({ hostname: '127.0.0.1', port: 0 }).close()",
    allowed: SCRIPTS,
  },
  "send data to Graph, in its own name": { code: "await fetch(graph)", allowed: SCRIPTS },
  "download a module from a host that Deno trusts": {
    code: "const name = 'https://jsr.io/@std/x/mod.ts'; await import(name)",
    allowed: [],
  },
  "download another npm package": { code: "const name = 'npm:left-pad'; await import(name)", allowed: [] },
  "start a program": { code: "await new Deno.Command('true').output()", allowed: [] },
  "start a program, or write elsewhere, through Node's modules": {
    code: [
      "const { execFileSync } = await import('node:child_process'), fs = await import('node:fs');",
      "try { execFileSync('true'); } catch { fs.writeFileSync(`${outside}/planted`, 'x'); }",
    ].join(" "),
    allowed: [],
  },
  "write elsewhere in a worker": {
    code: [
      "const text = `Deno.writeTextFileSync('${outside}/planted', 'x'); postMessage('')`;",
      "const worker = new Worker(`data:text/javascript,${encodeURIComponent(text)}`, { type: 'module' });",
      "await new Promise((resolve, reject) => {",
      "  worker.onmessage = resolve;",
      "  worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };",
      "});",
    ].join(" "),
    allowed: [],
  },
  "ask you for more permissions": {
    code:
      "if ((await Deno.permissions.request({ name: 'run' })).state !== 'granted') throw new Error('denied')",
    allowed: [],
  },
  "load a library": { code: "Deno.dlopen('libc.so.6', {})", allowed: [] },
  "send a signal to another process": { code: "Deno.kill(Deno.ppid, 'SIGURG')", allowed: [] },
  "change the settings of its own run": { code: "Deno.env.set('GRAPH_SITE', 'x')", allowed: SCRIPTS },
  "read other environment variables": {
    code: "if (Deno.env.get('AWS_SECRET_ACCESS_KEY') === undefined) throw new Error('not set')",
    allowed: [],
  },
  "read them as files (/proc)": { code: "await Deno.readTextFile('/proc/self/environ')", allowed: [] },
};

/** Granted, but not asked for in the repertoire on this platform: why. */
export const NOT_ASKED: Readonly<Record<string, string>> = {
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
