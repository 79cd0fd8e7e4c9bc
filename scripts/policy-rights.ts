/**
 * Writes test/policy/rights.txt from the policy that image/build has built: the rights of guests' domains and
 * of svirt's. Review each changed line: that is the purpose of the file.
 */
import { binaryOf, findBuiltPolicy, readPolicy } from "../test/policy/built-policy.ts";
import { formatRightsTable } from "../test/policy/rights-table.ts";

const folder = findBuiltPolicy();
if (folder === undefined)
  throw new Error("Cannot write the table: the policy of this checkout is not built. Run image/build");
const table = new URL("../test/policy/rights.txt", import.meta.url);
await Bun.write(table, formatRightsTable(readPolicy(binaryOf(folder))));
