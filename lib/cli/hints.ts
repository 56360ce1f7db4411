/**
 * The scripts by the names under which they are at hand, for hints that say what to run next.
 *
 * @module
 */

/** `scripts/whoami.ts`, or `graph-whoami` in a compiled program: bare `whoami` is the operating system's. */
export function commandName(script: "whoami" | "ls" | "put-large"): string {
  return Deno.build.standalone ? `graph-${script}` : `scripts/${script}.ts`;
}
