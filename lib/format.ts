/**
 * Sizes, rates and times as people write and read them.
 *
 * @module
 */
import { usageError } from "./errors.ts";

const UNITS: Record<string, number> = {
  "": 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
};

/**
 * Parses a size: `10MiB` and `10M` are 10·1024², `10MB` is 10·1000², a bare number is bytes.
 *
 * @param of For the message: what the size is of.
 * @throws {GraphError} `usage`.
 */
export function parseSize(text: string, of = ""): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits === undefined || factor === undefined) {
    throw usageError(
      `${of}${JSON.stringify(text)} is not a size`,
      "write bytes, or 320KiB, 10MiB (1024² bytes), 10MB (1000² bytes)",
      "invalidSize",
    );
  }
  return Math.round(Number(digits) * factor);
}

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600 };

/**
 * Parses a time: `30s`, `5m`, `1h`; a bare number is seconds.
 *
 * @param of For the message: what the time is of.
 * @returns Seconds.
 * @throws {GraphError} `usage`.
 */
export function parseDuration(text: string, of = ""): number {
  const [, digits, unit = "s"] = /^(\d{1,6}(?:\.\d+)?)\s*([smh])?$/.exec(text.trim()) ?? [];
  if (digits !== undefined) return Number(digits) * SECONDS[unit]!;
  throw usageError(`${of}${JSON.stringify(text)} is not a time`, "write it as 30s, 5m or 1h", "invalidTime");
}

/** `1.5 MiB`; exact below 1 KiB. */
export function formatSize(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `0:05`, `12:40`, `3:00:00`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => index ? String(part).padStart(2, "0") : String(part)).join(":");
}

/** `2026-01-02T03:04:05Z` for milliseconds since 1970. */
export function formatUtc(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
