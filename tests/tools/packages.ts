/**
 * Prints each package that reaches a user: version, license, and which package asks for it. Fails on a package with an
 * install script, or a license that is not permissive.
 *
 *     deno task packages
 *
 * @module
 */
// deno-lint-ignore-file no-console -- prints for users
import { join } from "../../lib/std.ts";
import { ROOT } from "../test_env.ts";

const PERMISSIVE = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"];
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

/** A package of the lock. */
export interface Package {
  /** `npm` or `jsr`. */
  registry: string;
  name: string;
  version: string;
  /** Packages that ask for it; none: the toolkit itself does. */
  askedBy: string[];
}

interface LockEntry {
  dependencies?: string[];
}

/** The packages of `deno.lock`. */
export async function lockedPackages(): Promise<Package[]> {
  const lock = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.lock")));
  return ["jsr", "npm"].flatMap((registry) => {
    const entries = Object.entries<LockEntry>(lock[registry]).map(([key, entry]) => {
      const at = key.lastIndexOf("@");
      return { name: key.slice(0, at), version: key.slice(at + 1), dependencies: entry.dependencies ?? [] };
    });
    return entries.map(({ name, version }) => ({
      registry,
      name,
      version,
      askedBy: entries.filter(({ dependencies }) => dependencies.map(nameOf).includes(name)).map(({ name }) =>
        name
      ),
    }));
  });
}

function nameOf(dependency: string): string {
  return dependency.replace(/^jsr:/, "").replace(/(.)@.*$/, "$1");
}

/** The manifest of an npm package, in Deno's cache. */
async function manifest(
  { name, version }: Package,
): Promise<{ license?: string; scripts?: Record<string, string> }> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const registries = await Array.fromAsync(Deno.readDir(npmCache), ({ name }) => name);
  for (const registry of registries) {
    try {
      return JSON.parse(await Deno.readTextFile(join(npmCache, registry, name, version, "package.json")));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    }
  }
  throw new Error(`${name}@${version} is not in the cache: run deno task cache`);
}

if (import.meta.main) {
  const problems: string[] = [];
  for (const found of await lockedPackages()) {
    const { registry, name, version, askedBy } = found;
    const { license = "no license", scripts = {} } = registry === "npm"
      ? await manifest(found)
      : { license: "MIT" };
    console.log(
      `${`${name}@${version}`.padEnd(46)} ${license.padEnd(12)} ${
        askedBy.length ? `for ${askedBy.join(", ")}` : registry
      }`,
    );
    if (!PERMISSIVE.includes(license)) problems.push(`${name}: license ${license}`);
    const script = INSTALL_SCRIPTS.find((script) => script in scripts);
    if (script) problems.push(`${name}: runs a script at ${script}`);
  }
  for (const problem of problems) console.error(problem);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
