// deno-lint-ignore-file no-console -- prints for users
/**
 * Measures speed and memory of the scripts against a local sandbox, each compared with another tool, or with what the line
 * allows. Compare the ratios, not the seconds.
 *
 *     deno task bench                            everything, about five minutes
 *     deno task bench --only upload,list         measurements whose names begin so
 *     deno task bench --size 5GB --rounds 9      the large file of the measurements without a line; more rounds
 *     deno task bench --json                     one JSON object a line
 *     deno task bench --plot FILE                the ratios and their goals as an SVG picture
 *     deno task bench --check                    fail where a ratio is much higher than in baseline.json
 *
 * @module
 */
import { parseArgs } from "../../lib/std.ts";
import { parseSize } from "../../lib/format.ts";
import { MEASUREMENTS } from "./measurements.ts";
import { median, type Result } from "./measure.ts";
import { plot } from "./plot.ts";

/** Other machines, and other work on this one, change ratios as well. */
const CHECK_MARGIN = 1.6;
const BASELINE = new URL("baseline.json", import.meta.url);

async function main(): Promise<number> {
  const { only, size, rounds, json, plot: file, check, _: [unexpected] } = parseArgs(Deno.args, {
    string: ["only", "size", "rounds", "plot", "_"],
    boolean: ["json", "check"],
  });
  const prefixes = typeof only === "string" ? only.split(",") : [""];
  const chosen = MEASUREMENTS.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)));
  if (chosen.length === 0 || unexpected !== undefined) {
    const names = MEASUREMENTS.map(({ name }) => name).join(", ");
    console.error(`bench: choose with --only from ${names}`);
    return 2;
  }
  const options = {
    bytes: parseSize(typeof size === "string" ? size : "1GiB"),
    rounds: Number(rounds ?? 3),
  };
  if (!(Number.isInteger(options.rounds) && options.rounds > 0)) {
    console.error(`bench: --rounds ${rounds}: not a whole number from 1 on`);
    return 2;
  }
  if (!json) console.log(`${machine()}\n\n${tableHead()}`);
  const results: Result[] = [];
  for (const { name, run } of chosen) {
    for await (const result of run(options)) {
      results.push({ name, ...result });
      console.log(
        json ? JSON.stringify({ name, ...result, ratio: ratioOf(result) }) : tableRow(results.at(-1)!),
      );
    }
  }
  if (typeof file === "string") await Deno.writeTextFile(file, plot(results, machine()));
  return check === true ? await compareWithBaseline(results) : 0;
}

function machine(): string {
  const { deno } = Deno.version;
  const load = Deno.loadavg()[0]!.toFixed(1);
  return `Deno ${deno}, ${Deno.build.target}, ${navigator.hardwareConcurrency} cores, load ${load} at the start; ` +
    "the sandbox shares the machine";
}

export function ratioOf({ seconds, reference }: Pick<Result, "seconds" | "reference">): number {
  return typeof reference.seconds === "number"
    ? median(seconds) / reference.seconds
    : median(seconds.map((value, round) => value / (reference.seconds as number[])[round]!));
}

const WIDTHS = [34, 9, 34, 7, 6, 9] as const;

function tableHead(): string {
  return row(["measurement", "seconds", "compared with", "ratio", "goal", "peak MiB"]);
}

function tableRow({ name, what, seconds, reference, goal, peakMiB }: Result): string {
  if (reference.missing) {
    return row([`${name}: ${what}`, "", `${reference.name} is not installed`, "", "", ""]);
  }
  const other = typeof reference.seconds === "number" ? reference.seconds : median(reference.seconds);
  return row([
    `${name}: ${what}`,
    median(seconds).toFixed(3),
    `${reference.name} ${other.toFixed(3)}`,
    ratioOf({ seconds, reference }).toFixed(2),
    goal === undefined ? "" : `≤${goal}`,
    peakMiB?.toFixed(0) ?? "",
  ]);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(WIDTHS[index]!)).join(" ").trimEnd();
}

async function compareWithBaseline(results: readonly Result[]): Promise<number> {
  const baseline: Record<string, number> = JSON.parse(await Deno.readTextFile(BASELINE));
  const slower = results.filter((result) => {
    const before = baseline[keyOf(result)];
    return before !== undefined && !result.reference.missing && ratioOf(result) > before * CHECK_MARGIN;
  });
  for (const result of slower) {
    console.error(`${keyOf(result)}: ratio ${ratioOf(result).toFixed(2)}, was ${baseline[keyOf(result)]}`);
  }
  return slower.length === 0 ? 0 : 1;
}

function keyOf({ name, what, reference }: Result): string {
  return `${name}: ${what} / ${reference.name}`;
}

if (import.meta.main) Deno.exit(await main());
