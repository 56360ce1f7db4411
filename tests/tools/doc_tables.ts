/**
 * Writes the tables of the documentation from the data that `--help` and the scripts use.
 *
 *     deno task docs
 *
 * A document marks the place with `<!-- table: NAME -->` or `<!-- usage: SCRIPT -->`, and `<!-- end -->`.
 *
 * @module
 */
import { SCOPES } from "../../lib/auth/session.ts";
import {
  COMMON_OPTIONS,
  type OptionDefinitions,
  optionHelp,
  optionSyntax,
  SETTING_OPTIONS,
} from "../../lib/cli/args.ts";
import { cloudHosts, type Grants, grantsOf, PERMISSION_SETS } from "../../lib/cli/grants.ts";
import { type CommandHelp, EXIT_CODE_HELP } from "../../lib/cli/help.ts";
import { CLOUDS } from "../../lib/clouds.ts";
import { EXIT_CODES, type FailureKind } from "../../lib/errors.ts";
import { type SettingDefinition, type SettingName, SETTINGS } from "../../lib/settings.ts";
import { join } from "../../lib/std.ts";
import { get } from "../../scripts/get.ts";
import { ls } from "../../scripts/ls.ts";
import { putLarge } from "../../scripts/put-large.ts";
import { put } from "../../scripts/put.ts";
import { whoami } from "../../scripts/whoami.ts";
import { ATTACKS, IGNORED, NOT_ASKED } from "../config/permission_tables.ts";
import { KNOWN_FAULTS } from "../sandbox/known_faults.ts";
import { CONFIG, ROOT } from "../test_env.ts";

/** The documents, by their path from the root of the repository. */
export const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "lib/README.md",
  "scripts/README.md",
  "tests/README.md",
  "tests/sandbox/README.md",
] as const;

/** The settings of the README. */
const COMMON_SETTINGS: readonly SettingName[] = [
  "clientId",
  "tenantId",
  "cloud",
  "account",
  "site",
  "siteHost",
  "drive",
  "home",
];

/** The folders of lib, from the scripts down; the files of lib itself come first. */
const LIB_FOLDERS = [
  "",
  "cli",
  "cli/doctor",
  "manage",
  "upload",
  "download",
  "content",
  "transfer",
  "documents",
  "drive",
  "graph",
  "auth",
  "local",
  "http",
  "compat",
];

type Table = readonly (readonly string[])[];

const SCRIPT_NAMES = Object.keys(PERMISSION_SETS);

const config = JSON.parse(await Deno.readTextFile(CONFIG));

const COMMANDS = [whoami, ls, get, put, putLarge];

/** The usage of each script. */
const USAGES: Readonly<Record<string, string>> = Object.fromEntries(
  COMMANDS.map(({ name, forms }: CommandHelp & { name: string }) => [
    name,
    ["```text", ...forms.map((form) => `${name} ${form}`.trim()), "```"].join("\n"),
  ]),
);

/** Each table, with its header as the first row. */
const TABLES: Readonly<Record<string, Table>> = {
  ...Object.fromEntries(COMMANDS.map((command) => [`options of ${command.name}`, options(command.options)])),
  "options of every script": options({ ...COMMON_OPTIONS, ...SETTING_OPTIONS }),
  "common settings": settings(COMMON_SETTINGS),
  "settings": settings(Object.keys(SETTINGS) as SettingName[]),
  "exit codes": [
    ["Code", "Name", "Meaning"],
    ["0", code("done"), "done"],
    ...Object.entries(EXIT_CODES).map(([kind, number]) => [
      String(number),
      code(kind),
      EXIT_CODE_HELP[kind as FailureKind],
    ]),
  ],
  "Graph permissions": [
    ["Scripts", "Your own OneDrive", "Sites and all other drives"],
    ["`whoami`", scopes(SCOPES.identity.own), scopes(SCOPES.identity.all)],
    ["`ls`, `get`", scopes(SCOPES.read.own), scopes(SCOPES.read.all)],
    ["`put`, `put-large`", scopes(SCOPES.write.own), scopes(SCOPES.write.all)],
  ],
  "Deno permissions": denoPermissions(),
  "hosts": hosts(),
  "planted dependency": [
    ["What it could try", "Allowed"],
    ...Object.entries(ATTACKS).map(([name, { allowed }]) => [
      name,
      allowed.length === SCRIPT_NAMES.length ? "yes" : allowed.map(code).join(", ") || "no",
    ]),
  ],
  "unused permissions": [
    ["Permission", "Granted", "Used by"],
    ...Object.entries(NOT_ASKED).map(([name, why]) => [code(name), "yes", why]),
    ...Object.entries(IGNORED).map(([name, who]) => [code(name), "no: looks as if it were not set", who]),
  ],
  "tasks": tasks(config.tasks),
  "files of lib": [["File", "What is there"], ...(await Promise.all(LIB_FOLDERS.map(modules))).flat()],
  "faults": [
    ["Fault", "Scripts", "What happens"],
    ...Object.entries(KNOWN_FAULTS).map((
      [name, { scripts, what }],
    ) => [code(name), scripts.join(", "), what]),
  ],
};

function code(text: string): string {
  return `\`${text}\``;
}

function scopes(names: readonly string[]): string {
  return names.map(code).join(", ");
}

function options(definitions: OptionDefinitions): Table {
  const rows = Object.entries(definitions).map(([name, definition]) => [
    code(optionSyntax(name, definition)),
    optionHelp(definition),
  ]);
  return [["Option", "Meaning"], ...rows];
}

function settings(names: readonly SettingName[]): Table {
  const rows = names.map((name) => {
    const { variable, flag, inFile = true, help }: SettingDefinition = SETTINGS[name];
    return [code(variable), flag ? code(`--${flag}`) : "", inFile ? code(name) : "", help];
  });
  return [["Variable", "Option", "Key in the config file", "Meaning"], ...rows];
}

/** The modules of a folder of lib, each with the first sentence of its documentation. */
async function modules(folder: string): Promise<[file: string, summary: string][]> {
  const entries = await Array.fromAsync(Deno.readDir(join(ROOT, "lib", folder)));
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith(".ts")).toSorted();
  return await Promise.all(names.map(async (name) => {
    const path = [folder, name].filter(Boolean).join("/");
    const text = await Deno.readTextFile(join(ROOT, "lib", path));
    const [, documentation = ""] = /^\/\*\* ?(.*?)\*\//s.exec(text) ?? [];
    const [paragraph] = documentation.replaceAll(/^ *\* ?/gm, "").trim().split(/\n\n|\n@/);
    const [sentence] = paragraph!.replaceAll("\n", " ").replaceAll(/\{@\w+ (\w+)\}/g, "`$1`").split(
      /(?<=\.) (?=[A-Z])/,
    );
    return [code(path), sentence!.replace(/[.:]$/, "")] as [string, string];
  }));
}

/** The permissions of each script, with the folders as users know them. */
function denoPermissions(): Table {
  const [config, state] = ["config folder", "state folder"];
  const columns = (["whoami", "ls", "get", "put", "put-large"] as const).map((script) => ({
    script,
    grants: grantsOf(script, {
      hosts: ["sign-in, Graph"],
      storageHosts: ["storage"],
      readable: [config, state],
      writable: [state],
      destinations: ["current folder"],
    }),
  }));
  const paths = (list: readonly string[] | "all") => list === "all" ? "all files" : list.join(", ");
  const row = (label: string, cell: (grants: Grants) => string) => [
    label,
    ...columns.map(({ grants }) => cell(grants)),
  ];
  return [
    ["", ...columns.map(({ script }) => code(script))],
    row("connects to", ({ net }) => net.map((host) => host.startsWith("127") ? code(host) : host).join(", ")),
    row("reads", ({ read }) => paths(read)),
    row("writes", ({ write }) => paths(write)),
    row("environment", ({ env }) => env.map(code).join(" ")),
    row("system information", () => "user id"),
    row("programs, libraries", () => "none"),
  ];
}

function hosts(): Table {
  const list = (names: readonly string[]) => names.map((name) => code(name.replace(/:443$/, ""))).join(" ");
  const rows = Object.entries(CLOUDS).map(([name, cloud]) => {
    const { hosts, storageHosts } = cloudHosts(cloud);
    return [code(name), list(hosts), list(storageHosts)];
  });
  return [["Cloud", "Sign-in, Graph", "Storage"], ...rows];
}

function tasks(all: Record<string, { description: string }>): Table {
  const rows = Object.entries(all).map(([name, { description }]) => [code(`deno task ${name}`), description]);
  return [["Command", "What it does"], ...rows];
}

/** Writes a table as `deno fmt` does. */
function markdown(rows: Table, indent: string): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = cells[0]!.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `${indent}| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [header, ...body] = cells.map(line);
  return [header, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

/**
 * Updates the tables and usages of a document.
 *
 * @throws {Error} For a mark without a table.
 */
export function withTables(text: string): string {
  return text.replaceAll(
    /^( *)<!-- (table|usage): (.+?) -->\n.*?^ *<!-- end -->$/gms,
    (_, indent: string, kind: "table" | "usage", name: string) => {
      const content = kind === "usage" ? USAGES[name] : TABLES[name] && markdown(TABLES[name], indent);
      if (content === undefined) throw new Error(`there is no ${kind} "${name}"`);
      return `${indent}<!-- ${kind}: ${name} -->\n\n${content}\n\n${indent}<!-- end -->`;
    },
  );
}

if (import.meta.main) {
  for (const name of DOCUMENTS) {
    const path = join(ROOT, name);
    const text = await Deno.readTextFile(path);
    if (withTables(text) !== text) await Deno.writeTextFile(path, withTables(text));
  }
}
