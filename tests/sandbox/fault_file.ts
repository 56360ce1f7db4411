/** Reads fault rules from a JSON file, for `--faults FILE`. */

import type { FaultRule } from "./faults.ts";

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const isPositive: Check = (value) => isCount(value) && value !== 0;
const isObject: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const oneOf = (...words: string[]): Check => (value) => words.includes(value as string);

/** What each field of a rule may hold in JSON. */
const FIELDS: Record<Exclude<keyof FaultRule, "rewrite">, Check> = {
  name: isText,
  service: oneOf("login", "graph", "storage"),
  method: isText,
  path: isText,
  lastFragment: (value) => value === true,
  nth: isPositive,
  times: (value) => value === "always" || isPositive(value),
  when: oneOf("before", "after"),
  status: (value) => isCount(value) && (value as number) >= 200 && (value as number) <= 599,
  headers: (value) => isObject(value) && Object.values(value as object).every(isText),
  body: () => true,
  sideEffect: oneOf(
    "tokens-expire",
    "link-expires",
    "link-forbidden",
    "name-taken",
    "claims-required",
    "interaction-required",
    "changes-forgotten",
  ),
  drop: (value) => value === true,
  dropAfterBytes: isCount,
  keepPart: (value) => value === true,
  truncateBodyTo: isCount,
  delayMs: isCount,
  hideHeaders: (value) => Array.isArray(value) && value.every(isText),
  patch: isObject,
};

/**
 * Parses a JSON array of rules; a path like "/…/" is a regular expression. @throws {Error} naming the rule and its
 * field
 */
export function parseFaultRules(text: string): FaultRule[] {
  const rules: unknown = JSON.parse(text);
  if (!Array.isArray(rules)) throw new Error("the file must hold a JSON array of rules");
  return rules.map((rule, index) => {
    if (!isObject(rule)) throw new Error(`rule ${index + 1} is not an object`);
    for (const [field, value] of Object.entries(rule)) {
      const check = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof typeof FIELDS] : undefined;
      if (check === undefined) throw new Error(`rule ${index + 1}: there is no field "${field}"`);
      if (!check(value)) throw new Error(`rule ${index + 1}: "${field}" cannot be ${JSON.stringify(value)}`);
    }
    return withPattern(rule as FaultRule);
  });
}

function withPattern(rule: FaultRule): FaultRule {
  const source = typeof rule.path === "string" ? /^\/(.+)\/$/s.exec(rule.path)?.[1] : undefined;
  return source === undefined ? rule : { ...rule, path: new RegExp(source) };
}
