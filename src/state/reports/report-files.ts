import { removeIfPresent } from "../../run/remove-text.ts";
import type { Instance } from "../instance.ts";

/** Ending of a file's name with a guest's reports. */
export const REPORTS_ENDING = ".json";

/**
 * Returns the folder of the reports of this boot: a file for each guest that has run while a client waited
 * for events.
 */
export function reportsFolder({ paths }: Pick<Instance, "paths">): string {
  return `${paths.run}/events`;
}

/** Returns the file with a guest's reports. */
export function reportsFile(instance: Pick<Instance, "paths">, uuid: string): string {
  return `${reportsFolder(instance)}/${uuid}${REPORTS_ENDING}`;
}

/** Removes the reports of an ended guest. */
export function removeReports(instance: Instance, uuid: string): void {
  removeIfPresent(instance.host, reportsFile(instance, uuid));
}
