import type { Controller } from "../../domain/devices/controller.ts";

/**
 * Returns the controllers in libvirt's order: types by first appearance, then by index, a USB master before
 * its companions. virDomainControllerInsertPreAlloced()
 */
export function sortControllers(controllers: readonly Controller[]): readonly Controller[] {
  const sorted: Controller[] = [];
  for (const controller of controllers) sorted.splice(placeAmong(sorted, controller), 0, controller);
  return sorted;
}

function placeAmong(sorted: readonly Controller[], controller: Controller): number {
  const later = sorted.findIndex((found) => found.type === controller.type && isBefore(controller, found));
  if (later !== -1) return later;
  const last = sorted.findLastIndex(({ type }) => type === controller.type);
  return last === -1 ? sorted.length : last + 1;
}

function isBefore(controller: Controller, other: Controller): boolean {
  const [index, otherIndex] = [controller.index ?? 0, other.index ?? 0];
  return index < otherIndex || (index === otherIndex && !isCompanion(controller) && isCompanion(other));
}

function isCompanion(controller: Controller): boolean {
  return controller.type === "usb" && controller.master !== undefined;
}
