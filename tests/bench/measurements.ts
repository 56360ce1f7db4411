/**
 * What the bench measures.
 *
 * @module
 */
import { hashing } from "./hashing.ts";
import { downloads, uploads } from "./large_files.ts";
import { listings } from "./listings.ts";
import type { Measurement } from "./measure.ts";
import { manyDownloads, manyUploads } from "./many_files.ts";
import { startUp } from "./start_up.ts";

export const MEASUREMENTS: readonly Measurement[] = [
  { name: "start-up", run: startUp },
  { name: "list", run: listings },
  { name: "upload", run: uploads },
  { name: "download", run: downloads },
  { name: "many-up", run: manyUploads },
  { name: "many-down", run: manyDownloads },
  { name: "hash", run: hashing },
];
