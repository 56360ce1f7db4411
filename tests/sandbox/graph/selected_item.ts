/** A driveItem with its selected properties. */

import { driveItemJson } from "../drive_item_json.ts";
import type { State } from "../state.ts";
import { eTagOf, type Item } from "../tenant/item.ts";
import { pick } from "./query.ts";

/** On business, an annotation has the eTag that `$select` leaves out (PROTOCOL 4.1n). */
export function selectedItem(
  state: State,
  item: Item,
  names: readonly string[] | undefined,
): Record<string, unknown> {
  const json = driveItemJson(state, item, (property) => names === undefined || names.includes(property));
  const isLeftOut = names !== undefined && !names.includes("eTag") && "eTag" in json;
  return {
    ...(isLeftOut && item.drive.cid === undefined ? { "@odata.etag": eTagOf(item) } : {}),
    ...pick(json, names),
  };
}
